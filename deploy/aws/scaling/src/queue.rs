//! The messages that wait, by the second they were sent in: first in, first out.

use std::collections::VecDeque;

use crate::Second;

/// Messages that wait, and how long those waited that are no longer there.
#[derive(Default)]
pub struct Queue {
    waiting: VecDeque<(Second, u64)>,
    messages: u64,
    waits: Vec<u64>,
}

impl Queue {
    /// Messages are sent.
    pub fn send(&mut self, now: Second, messages: u64) {
        if messages > 0 {
            self.waiting.push_back((now, messages));
            self.messages += messages;
        }
    }

    /// What so many messages ask for begins, or what there is. Returns how many that was.
    pub fn take(&mut self, wanted: u64, now: Second) -> u64 {
        let taken = wanted.min(self.messages);
        self.messages -= taken;
        let mut left = taken;
        while left > 0 {
            let Some((sent, messages)) = self.waiting.front_mut() else { break };
            let of_these = left.min(*messages);
            let wait = (now - *sent) as usize;
            if self.waits.len() <= wait {
                self.waits.resize(wait + 1, 0);
            }
            self.waits[wait] += of_these;
            *messages -= of_these;
            left -= of_these;
            if *messages == 0 {
                self.waiting.pop_front();
            }
        }
        taken
    }

    /// Messages that wait.
    pub fn messages(&self) -> u64 {
        self.messages
    }

    /// How long the oldest message waits.
    pub fn oldest(&self, now: Second) -> Second {
        self.waiting.front().map_or(0, |(sent, _)| now - sent)
    }

    /// How many messages waited so many seconds.
    pub fn waits(&self) -> &[u64] {
        &self.waits
    }
}
