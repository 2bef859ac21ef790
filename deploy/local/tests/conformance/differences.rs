//! Where the other implementations are known to differ from AWS, as ours is not: each with the reason. These tests are
//! run all the same, and one that passes must go from this list.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;

/// The server, the test, and what is different.
const KNOWN: &[(&str, &str, &str)] = &[
    ("ministack", "a_group_with_few_messages_does_not_wait_for_one_with_many", FAIR),
    ("ministack", "groups_with_many_messages_share", FAIR),
    ("ministack", "many_groups_with_one_message_do_not_starve_one_with_many", FAIR),
    ("ministack", "a_message_has_at_most_one_mebibyte", "attributes do not count towards a message's size"),
    ("ministack", "a_message_is_received_as_it_was_sent", "an answer has no digest of the system attributes"),
    (
        "ministack",
        "a_message_that_is_given_back_is_there_at_once",
        "a stale receipt is not MessageNotInflight",
    ),
    (
        "ministack",
        "a_message_comes_back_when_its_visibility_ends",
        "to delete by a stale receipt is an error",
    ),
    ("ministack", "a_wrong_secret_reads_and_writes_nothing", "the root user's signatures are not checked"),
    ("ministack", "attributes_can_be_set_and_messages_counted", "a value out of its range is accepted"),
    (
        "ministack",
        "both_kinds_of_list_go_on_where_they_ended",
        "nonsense is accepted as a continuation token",
    ),
    ("ministack", "what_sqs_does_not_take_is_refused", "characters that XML does not have are accepted"),
    (
        "ministack",
        "what_was_received_too_often_goes_to_the_dead_letter_queue",
        "a message counts its receives on in the dead-letter queue",
    ),
    ("moto", "a_group_with_few_messages_does_not_wait_for_one_with_many", FAIR),
    ("moto", "groups_with_many_messages_share", FAIR),
    ("moto", "many_groups_with_one_message_do_not_starve_one_with_many", FAIR),
    ("moto", "a_body_that_arrived_broken_replaces_nothing", "checksums of bodies are not checked"),
    ("moto", "a_message_has_at_most_one_mebibyte", "attributes do not count towards a message's size"),
    ("moto", "a_message_is_received_as_it_was_sent", "an answer has no digest of the system attributes"),
    ("moto", "a_message_that_is_given_back_is_there_at_once", "a stale receipt changes the visibility"),
    ("moto", "a_message_comes_back_when_its_visibility_ends", "to delete by a stale receipt deletes"),
    ("moto", "a_presigned_url_reads_one_object_for_a_time", SIGNATURES),
    ("moto", "a_presigned_url_says_how_its_answer_is_to_be_shown", SIGNATURES),
    ("moto", "a_wrong_secret_reads_and_writes_nothing", SIGNATURES),
    ("moto", "attributes_can_be_set_and_messages_counted", "a value out of its range is accepted"),
    ("moto", "both_kinds_of_list_go_on_where_they_ended", "encoding-type=url encodes nothing"),
    ("moto", "each_entry_of_a_batch_is_answered", "characters that XML does not have are accepted"),
    ("moto", "what_sqs_does_not_take_is_refused", "characters that XML does not have are accepted"),
    (
        "moto",
        "what_was_received_too_often_goes_to_the_dead_letter_queue",
        "a dead letter does not name the queue that it comes from",
    ),
];

const FAIR: &str = "queues are not fair: the oldest messages come first, whatever their group";
const SIGNATURES: &str = "signatures are not checked";

/// Runs the test, which must pass if no difference is known, and fail if one is.
pub(crate) async fn agrees_or_is_known_not_to(server: &str, test: &str, run: impl Future<Output = ()>) {
    let known = KNOWN.iter().find(|(of, name, _)| (*of, *name) == (server, test));
    let ended = AssertUnwindSafe(run).catch_unwind().await;
    match (known, ended) {
        (None, Ok(())) => {}
        (None, Err(panic)) => std::panic::resume_unwind(panic),
        (Some((.., reason)), Err(_)) => println!("{server} differs, as is known: {reason}"),
        (Some((.., reason)), Ok(())) => {
            panic!("{server} does not differ any more; take this from the list: {reason}")
        }
    }
}
