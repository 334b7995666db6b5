//! Wires the rooms together and runs a mode: desktop, watch or demo.
