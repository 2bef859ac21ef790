//! What every process needs: its settings, its signals, and how it tells of itself.

pub mod config;
pub mod health;
pub mod metrics;
pub mod shutdown;
pub mod telemetry;
