//! Times the hot paths: `make bench`.
#![allow(missing_docs, reason = "criterion's macros make public items")]

mod paths;

use criterion::{Criterion, criterion_group, criterion_main};

fn hot_paths(criterion: &mut Criterion) {
    for (name, prepare) in paths::PATHS {
        let mut run = prepare();
        criterion.bench_function(name, |bencher| bencher.iter(&mut run));
    }
}

criterion_group!(all, hot_paths);
criterion_main!(all);
