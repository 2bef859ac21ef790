//! What SQS and S3 promise, asked over the wire by AWS's own SDK: of the embedded servers, and, as far as the fleet
//! relies on it, of two implementations that are not ours.

mod differences;
mod durability;
mod emulators;
mod fixture;
mod kill;
mod s3;
mod s3_conditions;
mod s3_urls;
mod sqs;
mod sqs_batches;
mod sqs_groups;
mod sqs_queues;

/// The same tests, once for each server.
macro_rules! on_every_server {
    ($($area:ident: $($test:ident),* $(,)?;)*) => {
        mod embedded {
            use crate::fixture::Fixture;
            $($(
                #[tokio::test]
                async fn $test() {
                    crate::$area::$test(Fixture::start().await).await;
                }
            )*)*
        }
        on_every_server!(@emulator ministack $($($area $test)*)*);
        on_every_server!(@emulator moto $($($area $test)*)*);
    };
    (@emulator $server:ident $($area:ident $test:ident)*) => {
        mod $server {
            use crate::differences::agrees_or_is_known_not_to;
            use crate::emulators;
            use crate::fixture::Fixture;
            $(
                #[tokio::test]
                async fn $test() {
                    let test = async || crate::$area::$test(Fixture::on(emulators::$server()).await).await;
                    agrees_or_is_known_not_to(stringify!($server), stringify!($test), test()).await;
                }
            )*
        }
    };
}

on_every_server! {
    s3:
        an_object_is_read_as_it_was_written,
        keys_are_listed_in_order_and_by_folder,
        both_kinds_of_list_go_on_where_they_ended,
        many_objects_are_deleted_at_once,
        any_name_is_a_key,
        a_part_of_an_object_is_read;
    s3_conditions:
        of_many_who_create_one_wins,
        a_stale_etag_replaces_nothing,
        an_object_is_deleted_only_as_it_was_known,
        what_is_known_is_not_read_again,
        a_body_that_arrived_broken_replaces_nothing;
    s3_urls:
        a_presigned_url_reads_one_object_for_a_time,
        a_presigned_url_says_how_its_answer_is_to_be_shown,
        a_wrong_secret_reads_and_writes_nothing;
    sqs:
        a_message_is_received_as_it_was_sent,
        a_receive_gets_the_attributes_it_asks_for,
        a_send_wakes_a_long_poll,
        a_delayed_message_ends_a_wait_when_it_is_due,
        a_message_comes_back_when_its_visibility_ends,
        a_message_that_is_given_back_is_there_at_once,
        what_was_received_too_often_goes_to_the_dead_letter_queue;
    sqs_batches:
        each_entry_of_a_batch_is_answered,
        batches_of_a_wrong_form_are_refused_whole,
        a_message_has_at_most_one_mebibyte,
        what_sqs_does_not_take_is_refused;
    sqs_groups:
        a_group_with_few_messages_does_not_wait_for_one_with_many,
        groups_with_many_messages_share,
        many_groups_with_one_message_do_not_starve_one_with_many;
    sqs_queues:
        queues_are_made_found_and_listed,
        attributes_can_be_set_and_messages_counted,
        an_empty_redrive_policy_is_none,
        a_queue_that_is_not_there_does_not_exist;
}
