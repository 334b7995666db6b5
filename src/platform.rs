//! What differs by system, behind one small interface. The only room with unsafe code.

pub mod clock;
pub mod desktop;
