//! The menu-bar icon and its menu.
