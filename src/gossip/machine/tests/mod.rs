mod attacks;
mod bounds;
mod large;
mod mesh;
mod rig;
mod sealing;
mod sources;
