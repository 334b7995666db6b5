//! One task per gateway: the only room where the others meet.
