//! The menu-bar icon and its menu.
//!
//! Both are pure functions of the [`Snapshot`](crate::snapshot::Snapshot) and the moment at which it is looked at:
//! [`icon`] gives pixels, [`menu`] gives rows. [`app`] alone knows how a system shows them.

pub mod app;
pub mod icon;
pub mod menu;
pub mod row;
