mod attacks;
mod bounds;
mod mesh;
mod rig;
mod sealing;
mod sources;
