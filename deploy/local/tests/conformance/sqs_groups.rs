//! Message groups on a standard queue take turns, so that a busy one does not starve the others.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{MessageSystemAttributeName, SendMessageBatchRequestEntry};

use crate::fixture::Fixture;

impl Fixture {
    /// Sends `count` messages of a group, or of none.
    async fn send_group(&self, group: Option<&str>, count: usize) {
        let entry = |id: usize| {
            let entry = SendMessageBatchRequestEntry::builder().id(id.to_string()).message_body("x");
            entry.set_message_group_id(group.map(str::to_owned)).build().unwrap()
        };
        for start in (0..count).step_by(10) {
            let entries = (start..count.min(start + 10)).map(entry).collect();
            let send = self.sqs.send_message_batch().queue_url(&self.endpoint.queue_url);
            let sent = send.set_entries(Some(entries)).send().await.unwrap();
            assert!(sent.failed().is_empty(), "{sent:?}");
        }
    }

    /// How many messages of each group the next receives get.
    async fn receive_groups(&self, receives: usize) -> BTreeMap<String, usize> {
        let mut groups = BTreeMap::new();
        for _ in 0..receives {
            for message in self.receive(&self.endpoint.queue_url, 0).await {
                let group = message.attributes.unwrap().remove(&MessageSystemAttributeName::MessageGroupId);
                *groups.entry(group.unwrap_or_default()).or_default() += 1;
            }
        }
        groups
    }
}

fn groups<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.map(|(group, count)| (group.to_owned(), count)).into()
}

pub(crate) async fn a_group_with_few_messages_does_not_wait_for_one_with_many(fixture: Fixture) {
    fixture.send_group(Some("busy"), 200).await;
    assert_eq!(fixture.receive_groups(2).await, groups([("busy", 20)]));
    fixture.send_group(Some("quiet"), 3).await;
    assert_eq!(fixture.receive_groups(1).await, groups([("busy", 7), ("quiet", 3)]));
}

pub(crate) async fn groups_with_many_messages_share(fixture: Fixture) {
    for group in [Some("a"), None, Some("b")] {
        fixture.send_group(group, 40).await;
    }
    assert_eq!(fixture.receive_groups(6).await, groups([("", 20), ("a", 20), ("b", 20)]));
    assert_eq!(fixture.receive_groups(6).await, groups([("", 20), ("a", 20), ("b", 20)]));
}

pub(crate) async fn many_groups_with_one_message_do_not_starve_one_with_many(fixture: Fixture) {
    fixture.send_group(Some("busy"), 20).await;
    for round in 0..2 {
        for number in 0..9 {
            fixture.send_group(Some(&format!("{round}-{number}")), 1).await;
        }
        // In each round its one message goes first, as it was there first.
        assert_eq!(fixture.receive_groups(1).await["busy"], 1, "{round}");
    }
    assert_eq!(fixture.receive_groups(2).await, groups([("busy", 18)]));
}
