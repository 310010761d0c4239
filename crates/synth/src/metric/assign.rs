//! Which row goes with which column, so that the total value is greatest: the Hungarian method with potentials, O(n^3) (Kuhn
//! 1955, in the shortest-path form of Jonker and Volgenant 1987).

/// Rows and columns in pairs of the greatest total value. Where there are fewer of one, callers fill up with some that are
/// worth nothing.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    size: usize,
    /// The potentials; row and column 0 are the method's own.
    row_prices: Vec<f64>,
    column_prices: Vec<f64>,
    /// The row that has a column, 0 for none.
    owner: Vec<usize>,
}

impl Assignment {
    /// Of as many rows and columns, with the value of each pair: 0 where one of them was filled up.
    pub(super) fn new(size: usize, value: &impl Fn(usize, usize) -> f64) -> Self {
        let zeros = vec![0.0; size + 1];
        let mut this = Self { size, row_prices: zeros.clone(), column_prices: zeros, owner: vec![0; size + 1] };
        for row in 0..size {
            this.place(row, value);
        }
        this
    }

    /// Once more where only the values of two rows have changed, in O(n^2).
    pub(super) fn with_changed(&self, rows: [usize; 2], value: &impl Fn(usize, usize) -> f64) -> Self {
        let mut this = self.clone();
        for owner in &mut this.owner {
            if rows.iter().any(|row| *owner == row + 1) {
                *owner = 0;
            }
        }
        for row in rows {
            this.place(row, value);
        }
        this
    }

    /// Row and column of each pair, by column.
    pub(super) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        self.owner.iter().enumerate().skip(1).map(|(column, owner)| (owner - 1, column - 1))
    }

    /// Finds a column for a row that has none; others change theirs where that is better.
    fn place(&mut self, row: usize, value: &impl Fn(usize, usize) -> f64) {
        let columns = self.size + 1;
        (self.owner[0], self.row_prices[row + 1]) = (row + 1, 0.0);
        let (mut least, mut way, mut used) = (vec![f64::INFINITY; columns], vec![0; columns], vec![false; columns]);
        let mut column = 0;
        loop {
            used[column] = true;
            let (current, mut delta, mut next) = (self.owner[column], f64::INFINITY, 0);
            for other in 1..columns {
                if used[other] {
                    continue;
                }
                let cost = -value(current - 1, other - 1);
                let reduced = cost - self.row_prices[current] - self.column_prices[other];
                if reduced < least[other] {
                    (least[other], way[other]) = (reduced, column);
                }
                if least[other] < delta {
                    (delta, next) = (least[other], other);
                }
            }
            for other in 0..columns {
                if used[other] {
                    self.row_prices[self.owner[other]] += delta;
                    self.column_prices[other] -= delta;
                } else {
                    least[other] -= delta;
                }
            }
            column = next;
            if self.owner[column] == 0 {
                break;
            }
        }
        while column != 0 {
            let before = way[column];
            self.owner[column] = self.owner[before];
            column = before;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By trying every way.
    fn most(values: &[Vec<f64>], row: usize, used: [bool; 4]) -> f64 {
        let Some(line) = values.get(row) else { return 0.0 };
        let without = most(values, row + 1, used);
        let free = (0..line.len()).filter(|&column| !used[column]);
        let value = |column: usize| {
            let mut used = used;
            used[column] = true;
            line[column] + most(values, row + 1, used)
        };
        free.map(value).fold(without, f64::max)
    }

    fn worth(values: &[Vec<f64>], row: usize, column: usize) -> f64 {
        values.get(row).and_then(|line| line.get(column)).copied().unwrap_or(0.0)
    }

    fn check(assignment: &Assignment, values: &[Vec<f64>]) {
        let total: f64 = assignment.pairs().map(|(row, column)| worth(values, row, column)).sum();
        let most = most(values, 0, [false; 4]);
        assert!((total - most).abs() < 1e-9, "{total}, the most is {most}");
    }

    fn table() -> impl proptest::strategy::Strategy<Value = Vec<Vec<f64>>> {
        use proptest::prelude::*;
        (1..5_usize).prop_flat_map(|columns| {
            let row = prop::collection::vec(prop_oneof![0.0..1.0_f64, Just(0.0), Just(0.5), Just(1.0)], columns);
            prop::collection::vec(row, 2..6)
        })
    }

    proptest::proptest! {
        #[test]
        fn the_total_is_the_most(values in table()) {
            let size = values.len().max(values[0].len());
            check(&Assignment::new(size, &|row, column| worth(&values, row, column)), &values);
        }

        #[test]
        fn changed_rows_are_placed_anew(values in table(), at in 0..4_usize, joint in proptest::collection::vec(0.0..1.0_f64, 4)) {
            let columns = values[0].len();
            let before = Assignment::new(values.len().max(columns), &|row, column| worth(&values, row, column));
            let at = at.min(values.len() - 2);
            let mut changed = values.clone();
            (changed[at], changed[at + 1]) = (joint[..columns].to_vec(), vec![0.0; columns]);
            check(&before.with_changed([at, at + 1], &|row, column| worth(&changed, row, column)), &changed);
        }
    }
}
