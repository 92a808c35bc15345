//! How sure a decision must be: the budget of false messages.
//!
//! A container's check sum holds by chance once in 2¹⁶ decisions. So each decision that is tried in
//! vain costs 2⁻¹⁶ of a false message, and this is what it is charged with: over any time, the
//! charges sum to the number of false messages that were to be expected. The budget grants so many a
//! day. It starts with a day's grant and never holds more; what is left of it is the balance.
//!
//! A decision is tried if, should its check sum hold, it is right with odds of at least
//!
//! ```text
//! P / (1 - P - P') · 2^16  >=  300 / balance
//! ```
//!
//! where `P` is its probability before the check and `P'` that of the decisions on the same symbols
//! that were rejected before. `P` is that of the path in the trellis, among all paths, times the
//! probability that there is such a frame at all. So a clear frame's one decision always passes, a
//! fainter one's list is as long as its decisions stay likely, and noise, all of whose decisions are
//! equally unlikely, is not tried at all. The more of the budget is used up, the shorter the lists.
//!
//! At a balance of one, what is reported is right with odds of 300 to 1 at the worst, and far better
//! on average.

/// Decisions tried in vain that make one false message: those that pass 16 bits by chance.
const DECISIONS_PER_MESSAGE: f64 = 65_536.0;
/// Odds that a decision must have at a balance of one message.
const ODDS_AT_ONE: f64 = 300.0;
/// No decision needs better odds than this, whatever the balance: one whose probability is 94 %
/// before the check. A clear frame is heard even where interference has used up the budget.
const CERTAIN_ODDS: f64 = 1e6;
/// Fraction of a day a second.
const DAYS_PER_SECOND: f64 = 1.0 / 86_400.0;

/// What an account gets of a budget that several share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct BudgetShare {
    /// Of the day's grant with which the budget begins, which is also the most that it holds. The odds
    /// that a decision needs go by what is left of this share, so that a full account asks for no better
    /// ones than the whole budget would.
    pub(crate) of_start: f64,
    /// Of what is granted as time passes.
    pub(crate) of_grant: f64,
}

impl BudgetShare {
    /// All of it.
    pub(crate) const ALL: Self = Self { of_start: 1.0, of_grant: 1.0 };

    /// One of so many equal shares of this one.
    pub(crate) fn divided_by(self, count: usize) -> Self {
        let count = count.max(1) as f64;
        Self { of_start: self.of_start / count, of_grant: self.of_grant / count }
    }
}

/// An account of the false messages that may be expected.
#[derive(Debug, Clone)]
pub(crate) struct FalseMessageBudget {
    /// Part of the grant that this account gets; there may be others.
    share: f64,
    per_day: f64,
    /// The most that the account holds, with which it began.
    most: f64,
    balance: f64,
    time_s: f64,
}

impl FalseMessageBudget {
    /// A full account that gets these shares of a budget of `per_day` false messages a day.
    pub(crate) fn new(per_day: f64, share: BudgetShare) -> Self {
        let most = share.of_start * per_day;
        let per_day = share.of_grant * per_day;
        Self { share: share.of_start, per_day, most, balance: most, time_s: 0.0 }
    }

    /// Grants what is due at this instant, in seconds from the start of the stream.
    pub(crate) fn advance(&mut self, time_s: f64) {
        let passed_s = (time_s - self.time_s).max(0.0);
        self.balance = (self.balance + self.per_day * passed_s * DAYS_PER_SECOND).min(self.most);
        self.time_s = self.time_s.max(time_s);
    }

    /// Charges decisions that were tried and rejected.
    pub(crate) fn charge(&mut self, rejected: u64) {
        self.balance = (self.balance - rejected as f64 / DECISIONS_PER_MESSAGE).max(0.0);
    }

    /// The odds that a decision must have to be tried.
    pub(crate) fn min_odds(&self) -> f64 {
        (ODDS_AT_ONE * self.share / self.balance).clamp(1.0, CERTAIN_ODDS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_grants_more_than_a_days_budget_ahead() {
        let mut budget = FalseMessageBudget::new(4.0, BudgetShare::ALL.divided_by(2));
        let is_at = |budget: &FalseMessageBudget, balance: f64| {
            (budget.min_odds() - ODDS_AT_ONE / balance).abs() < 1e-9
        };
        assert!(is_at(&budget, 4.0));
        budget.advance(1e6);
        assert!(is_at(&budget, 4.0));
        budget.charge(65_536);
        assert!(is_at(&budget, 2.0));
        // Half a day later half of the day's grant has come.
        budget.advance(1e6 + 43_200.0);
        assert!(is_at(&budget, 4.0));
        budget.charge(98_304);
        assert!(is_at(&budget, 1.0));
    }

    #[test]
    fn a_used_up_or_empty_budget_leaves_what_is_certain() {
        let mut budget = FalseMessageBudget::new(0.5, BudgetShare::ALL);
        budget.charge(1 << 40);
        assert_eq!(budget.min_odds(), CERTAIN_ODDS);
        assert_eq!(FalseMessageBudget::new(0.0, BudgetShare::ALL).min_odds(), CERTAIN_ODDS);
        assert_eq!(FalseMessageBudget::new(1e6, BudgetShare::ALL).min_odds(), 1.0);
    }
}
