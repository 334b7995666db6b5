//! Asking a running gateway to start the channels that it holds back.

use std::time::Duration;

use super::setup::GatewaySetup;
use super::{ServiceError, openclaw};

/// Limit for one call: it takes 1.3 s (gateway.md, section 4), most of it the start of Node.
const CALL_LIMIT: Duration = Duration::from_secs(30);

/// Has the gateway's own program call `channels.start` for each channel. The first one that is refused ends it.
pub(super) async fn start(setup: &GatewaySetup, channels: &[String]) -> Result<(), ServiceError> {
    for channel in channels {
        let parameters = serde_json::json!({ "channel": channel }).to_string();
        let output =
            openclaw::run(setup, &["gateway", "call", "channels.start", "--params", &parameters], CALL_LIMIT).await?;
        if !output.succeeded() {
            return Err(ServiceError::ChannelRefused { channel: channel.clone(), reason: output.reason() });
        }
        tracing::info!(channel, "asked the gateway to start a channel that it holds back");
    }
    Ok(())
}
