//! What operators use: commands, settings, pages, and the deployment on AWS.

mod commands;
mod configuration;
mod deployed;
mod metrics;
mod operator;
mod pages;
mod permissions;
mod readme;
