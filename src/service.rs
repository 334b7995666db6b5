//! How a gateway is started, stopped and restarted.
