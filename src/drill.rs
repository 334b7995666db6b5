//! The practice gateway, and fault drills.
