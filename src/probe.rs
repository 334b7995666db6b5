//! Looking: one file per thing that can be observed.
