//! The system in this process: [`system`] starts it, [`run`] lets it run one function, [`up`] keeps it serving, [`aws`]
//! [`own`] starts one for a single command. [`aws`] serves the embedded SQS and S3 alone. [`progress`] is what a person sees meanwhile.

pub mod aws;
pub mod own;
pub mod progress;
pub mod run;
pub mod system;
pub mod up;
