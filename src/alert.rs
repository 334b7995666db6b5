//! Telling people: native notifications, Discord.
