//! Bytes as a script: each question takes the next one, and answers come to an end.

/// What is left of a script.
pub struct Script<'a>(&'a [u8]);

impl<'a> Script<'a> {
    /// All of it.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The next step, if there is one.
    pub fn step(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number; zero at the end.
    pub fn number(&mut self) -> usize {
        self.step().unwrap_or(0).into()
    }

    /// So many bytes, or what is left.
    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// One of them; none if there is none.
    pub fn pick<T: Clone>(&mut self, among: &[T]) -> Option<T> {
        let number = self.number();
        among.get(number % among.len().max(1)).cloned()
    }

    /// One of them, taken out.
    pub fn take<T>(&mut self, from: &mut Vec<T>) -> Option<T> {
        let number = self.number();
        (!from.is_empty()).then(|| from.swap_remove(number % from.len()))
    }
}
