"""The checker fails for files that are missing, unknown, empty or not of the described form."""

import json
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import check
import readers
import spec


class Files(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name) / "vectors"
        shutil.copytree(spec.FOLDER / "vectors", self.folder)

    def failures(self) -> list[str]:
        return check.check_folder(self.folder)[1]

    def edit(self, name: str, change) -> None:
        path = self.folder / name
        document = json.loads(path.read_text(encoding="utf-8"))
        change(document)
        path.write_text(json.dumps(document), encoding="utf-8")

    def test_the_vectors_of_this_folder_pass(self):
        passed, failures = check.check_folder(self.folder)
        self.assertEqual(failures, [])
        self.assertGreater(passed, 100)

    def test_an_unknown_file_fails(self):
        for name in ("gossip.json", "ping.json.bak", "notes"):
            with self.subTest(name):
                shutil.copy(self.folder / "ping.json", self.folder / name)
                self.assertEqual(self.failures(), [f"{name}: not known here"])
                (self.folder / name).unlink()

    def test_each_missing_file_fails(self):
        for name in readers.known_files():
            with self.subTest(name):
                content = (self.folder / name).read_bytes()
                (self.folder / name).unlink()
                self.assertEqual(self.failures(), [f"{name}: missing"])
                (self.folder / name).write_bytes(content)

    def test_each_file_with_zero_cases_fails(self):
        for name in readers.known_files():
            with self.subTest(name):
                content = (self.folder / name).read_bytes()
                self.edit(name, lambda document: document["cases"].clear())
                self.assertEqual(self.failures(), [f"{name}: zero cases"])
                (self.folder / name).write_bytes(content)

    def test_a_file_without_valid_cases_fails(self):
        def keep_invalid(document):
            document["cases"] = [case for case in document["cases"] if not case["valid"]]

        self.edit("ping.json", keep_invalid)
        self.assertEqual(self.failures(), ["ping.json: no valid case"])

    def test_a_registered_code_or_label_without_a_case_fails(self):
        for name in ("error_codes.json", "labels.json"):
            self.edit(name, lambda document: document["cases"].pop())
        self.assertEqual(
            sorted(self.failures()),
            [
                "error_codes.json: no case for 'WRONG_IDENTITY'",
                "labels.json: no case for 'creto/1 self test'",
            ],
        )

    def test_a_case_of_another_form_fails(self):
        changes = {
            "misspelt key": lambda case: case.update(vaild=case.pop("valid")),
            "valid as a number": lambda case: case.update(valid=1),
            "both inputs": lambda case: case.update(text="00"),
            "no input": lambda case: case.pop("hex"),
            "no value": lambda case: case.pop("value"),
            "violation of a valid case": lambda case: case.update(violation="Truncated"),
            "upper case": lambda case: case.update(hex=case["hex"].upper() + "AA"),
            "half a byte": lambda case: case.update(hex=case["hex"] + "0"),
            "answer of a valid case": lambda case: case.update(code="MALFORMED"),
            "input in another file's form": lambda case: case.update(text=case.pop("hex")),
        }
        content = (self.folder / "ping.json").read_bytes()
        for name, change in changes.items():
            with self.subTest(name):
                self.edit("ping.json", lambda document: change(document["cases"][0]))
                self.assertEqual(len(self.failures()), 1)
                (self.folder / "ping.json").write_bytes(content)

    def test_two_cases_of_one_name_fail(self):
        self.edit("ping.json", lambda document: document["cases"].append(document["cases"][0]))
        self.assertEqual(self.failures(), ["ping.json: two cases of one name"])

    def test_a_key_that_stands_twice_fails(self):
        path = self.folder / "ping.json"
        text = path.read_text(encoding="utf-8")
        twice = text.replace('"valid": true', '"valid": false, "valid": true', 1)
        path.write_text(twice, encoding="utf-8")
        self.assertEqual(self.failures(), ["ping.json: a key that stands twice in one object"])

    def test_rules_belong_to_frames_alone(self):
        self.edit("ping.json", lambda document: document.update(rules={}))
        self.edit("frame.json", lambda document: document.pop("rules"))
        self.assertEqual(len(self.failures()), 2)

    def test_status_and_last_line_tell_the_result(self):
        passed, _ = check.check_folder(self.folder)
        self.assertEqual(self.run_checker(), (0, f"{passed} passed, 0 failed"))
        (self.folder / "gossip.json").write_text("{}")
        self.assertEqual(self.run_checker(), (1, f"{passed} passed, 1 failed"))

    def run_checker(self) -> tuple[int, str]:
        script = Path(check.__file__)
        run = subprocess.run(
            [sys.executable, script, self.folder], capture_output=True, text=True, check=False
        )
        return run.returncode, run.stdout.splitlines()[-1]


if __name__ == "__main__":
    unittest.main()
