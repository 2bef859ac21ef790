//! What goes wrong around an execution: outages, hangs, signals, kills, drains.

mod chaos;
mod concurrency;
mod connections;
mod lifecycle;
mod outages;
mod protection;
mod separate_processes;
mod unprivileged;
mod watched;
