//! How long executions take: a hundred equally likely durations, log-normal with σ = 1.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, LogNormal};

/// No execution takes longer, in seconds, so that all end within a worker's grace period (`DrainSeconds`).
pub const LONGEST: f64 = 90.0;
/// How many different durations there are.
pub const CLASSES: usize = 100;
/// A class is the mean of so many draws that are next to each other.
const DRAWS: usize = 1000;

/// One duration for each class, in seconds.
pub struct Durations([f64; CLASSES]);

impl Durations {
    /// Durations of this mean, in seconds.
    pub fn around(mean_seconds: f64) -> Self {
        let distribution = LogNormal::new(0.0, 1.0).expect("σ is finite");
        let mut draws: Vec<f64> =
            distribution.sample_iter(StdRng::seed_from_u64(0)).take(CLASSES * DRAWS).collect();
        draws.sort_unstable_by(f64::total_cmp);
        let scale = mean_seconds / draws.iter().sum::<f64>() * (CLASSES * DRAWS) as f64;
        let class = |class: usize| draws[class * DRAWS..][..DRAWS].iter().sum::<f64>() / DRAWS as f64;
        Self(std::array::from_fn(|index| (class(index) * scale).min(LONGEST)))
    }

    /// That of a class.
    pub fn of(&self, class: usize) -> f64 {
        self.0[class]
    }

    /// One at random.
    pub fn draw(&self, random: &mut impl Rng) -> f64 {
        self.of(random.random_range(0..CLASSES))
    }

    /// The mean of what executions use of the second they begin in.
    pub fn mean_of_first_second(&self) -> f64 {
        self.0.iter().map(|duration| duration.min(1.0)).sum::<f64>() / CLASSES as f64
    }
}
