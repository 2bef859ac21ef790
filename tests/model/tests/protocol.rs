//! The protocol keeps what is promised, and each error that is put into it is found.

use std::collections::{BTreeSet, HashSet};

use badlambda_model::state::State;
use badlambda_model::{Bounds, Bug, Protocol, properties};
use stateright::{Checker, Expectation, HasDiscoveries, Model};

/// Checks everything that the bounds allow. Examples are expected only where the bounds leave room for them.
fn check_all(bounds: Bounds, has_room_for_examples: bool) {
    let protocol = Protocol { bounds, bug: Bug::None };
    let checker = protocol.checker().threads(2).spawn_bfs().join();
    println!("{bounds:?}: {} states", checker.unique_state_count());
    for property in protocol.properties() {
        if has_room_for_examples || property.expectation == Expectation::Always {
            match property.expectation {
                Expectation::Sometimes => _ = checker.assert_any_discovery(property.name),
                Expectation::Always | Expectation::Eventually => checker.assert_no_discovery(property.name),
            }
        }
    }
}

/// Expects a counterexample for this property. That there is none without the bug is what `check_all` shows.
fn assert_found(bug: Bug, property: &'static str) {
    let protocol = Protocol { bounds: Bounds::ONE, bug };
    let expected = HasDiscoveries::AllOf(BTreeSet::from([property]));
    let checker = protocol.checker().finish_when(expected).spawn_bfs().join();
    let path = checker.discovery(property).unwrap_or_else(|| panic!("{bug:?} is not found: {property}"));
    println!("{bug:?}: {:?}", path.into_actions());
}

#[test]
fn one_execution_keeps_every_promise() {
    check_all(Bounds::ONE, true);
}

#[test]
fn two_executions_keep_every_promise() {
    check_all(Bounds::TWO, false);
}

#[test]
#[ignore = "it takes about a minute"]
fn one_execution_keeps_every_promise_for_longer() {
    check_all(Bounds::LONG, true);
}

/// With this, a state in which no step is left is where every path ends.
#[test]
fn no_path_comes_to_a_state_twice() {
    let protocol = Protocol { bounds: Bounds { faults: 1, ..Bounds::ONE }, bug: Bug::None };
    let (mut finished, mut on_path) = (HashSet::new(), HashSet::new());
    let mut path: Vec<(State, Vec<State>)> = vec![];
    let mut next = protocol.init_states().pop();
    loop {
        if let Some(state) = next.take() {
            assert!(!on_path.contains(&state), "it comes again: {state:?}");
            if !finished.contains(&state) {
                on_path.insert(state.clone());
                let followers = protocol.next_states(&state);
                path.push((state, followers));
            }
        }
        let Some((state, followers)) = path.last_mut() else { break };
        next = followers.pop();
        if next.is_none() {
            on_path.remove(state);
            finished.extend(path.pop().map(|(state, _)| state));
        }
    }
    assert!(finished.len() > 1_000, "{}", finished.len());
}

#[test]
fn a_message_deleted_before_its_copy_is_found() {
    assert_found(Bug::DeleteBeforeCopy, properties::NOTHING_IS_LOST);
    assert_found(Bug::DeleteBeforeCopy, properties::ALL_END);
}

#[test]
fn a_record_written_without_a_condition_is_found() {
    assert_found(Bug::UnconditionalRecord, properties::FINAL_RECORD_STAYS);
}

#[test]
fn a_loser_that_deletes_the_winners_result_is_found() {
    assert_found(Bug::LoserDeletesWinnersResult, properties::NAMED_RESULT_EXISTS);
}

#[test]
fn a_returned_message_that_is_not_listed_is_found() {
    assert_found(Bug::ReturnedIsNotListed, properties::FINISHED_IS_LISTED);
}

#[test]
fn a_claim_without_a_look_at_the_record_is_found() {
    assert_found(Bug::ClaimWithoutRecord, properties::FINAL_IS_NOT_RUN);
}

#[test]
fn an_outage_that_counts_as_lost_is_found() {
    assert_found(Bug::OutageCountsAsLost, properties::NO_LOSS_IS_MADE_UP);
    assert_found(Bug::OutageCountsAsLost, properties::NOT_GIVEN_UP_EARLY);
}

#[test]
fn a_cap_on_carried_losses_is_found() {
    assert_found(Bug::CarriedLossesAreCapped, properties::GIVEN_UP_IN_TIME);
}

#[test]
fn a_record_before_the_dead_letter_is_found() {
    assert_found(Bug::RecordBeforeDeadLetter, properties::GIVEN_UP_IS_DEAD_LETTERED);
}
