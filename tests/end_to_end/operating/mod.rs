//! What operators use: settings, pages, and the deployment on AWS.

mod configuration;
mod deployed;
mod metrics;
mod operator;
mod pages;
mod permissions;
mod readme;
mod release;
