//! The system in this process: [`system`] starts it, [`run`] lets it run one function, [`up`] keeps it serving, [`aws`]
//! serves the embedded SQS and S3 alone. [`own`] is one that goes with its command, [`progress`] what a person sees
//! meanwhile.

pub mod aws;
pub mod own;
pub mod progress;
pub mod run;
pub mod system;
pub mod up;
