//! `lifeguard`: parse arguments, choose a mode, exit code.

fn main() {}
