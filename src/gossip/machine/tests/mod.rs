mod attacks;
mod bounds;
mod large;
mod mesh;
mod overflow;
mod rig;
mod sealing;
mod sources;
