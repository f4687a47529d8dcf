//! Which value of a metric is the best one: its name says whether more or less is better, or it does not.

/// Where less is better.
const LOW: [&str; 32] = [
    "loss",
    "losses",
    "error",
    "errors",
    "err",
    "mae",
    "mse",
    "rmse",
    "mape",
    "smape",
    "rmsle",
    "msle",
    "perplexity",
    "ppl",
    "nll",
    "wer",
    "cer",
    "fid",
    "kl",
    "latency",
    "regret",
    "time",
    "seconds",
    "duration",
    "brier",
    "deviance",
    "ece",
    "bpc",
    "bpb",
    "cost",
    "aic",
    "bic",
];
/// Where more is better.
const HIGH: [&str; 40] = [
    "accuracy",
    "acc",
    "auc",
    "auroc",
    "roc",
    "auprc",
    "f1",
    "fbeta",
    "precision",
    "recall",
    "score",
    "r2",
    "map",
    "ap",
    "iou",
    "miou",
    "dice",
    "bleu",
    "rouge",
    "rouge1",
    "rouge2",
    "rougel",
    "ndcg",
    "mrr",
    "reward",
    "return",
    "throughput",
    "sharpe",
    "psnr",
    "ssim",
    "kappa",
    "mcc",
    "top1",
    "top5",
    "sensitivity",
    "specificity",
    "correct",
    "gain",
    "likelihood",
    "em",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Better {
    Lower,
    Higher,
}

/// What the name of a metric says; `None`: nothing.
pub fn better(key: &str) -> Option<Better> {
    let key = key.to_ascii_lowercase();
    let mut words = key.split(|letter: char| !letter.is_ascii_alphanumeric());
    let has = |words: &[&str]| {
        key.split(|letter: char| !letter.is_ascii_alphanumeric())
            .any(|word| words.contains(&word))
    };
    let negative = words.any(|word| matches!(word, "neg" | "negative"));
    match (has(&LOW), has(&HIGH)) {
        // What is bad, with its sign turned: `neg_mean_squared_error`.
        (true, _) if negative => Some(Better::Higher),
        (true, _) => Some(Better::Lower),
        (false, true) if negative => None,
        (false, true) => Some(Better::Higher),
        (false, false) => None,
    }
}

/// The best of `values`, unless they are all the same, or it is not known what is better.
pub fn best(key: &str, values: impl Iterator<Item = f64> + Clone) -> Option<(Better, f64)> {
    let better = better(key)?;
    let known = values.filter(|value| !value.is_nan());
    let lowest = known.clone().reduce(f64::min)?;
    let highest = known.reduce(f64::max)?;
    let best = match better {
        Better::Lower => lowest,
        Better::Higher => highest,
    };
    (lowest < highest).then_some((better, best))
}

#[cfg(test)]
mod tests {
    use super::{Better::*, best, better};

    #[test]
    fn names_tell_what_is_better() {
        for key in ["loss", "val_loss", "train/loss", "eval.RMSE", "log-loss", "test error rate"] {
            assert_eq!(better(key), Some(Lower), "{key}");
        }
        for key in ["accuracy", "val/acc", "F1", "r2_score", "neg_mean_squared_error"] {
            assert_eq!(better(key), Some(Higher), "{key}");
        }
        for key in ["epoch", "system/gpu_0", "glossary", "lr", ""] {
            assert_eq!(better(key), None, "{key}");
        }
    }

    #[test]
    fn the_best_stands_out_from_others() {
        let best = |key, values: &[f64]| best(key, values.iter().copied());
        assert_eq!(best("loss", &[2.0, 1.0, f64::NAN]), Some((Lower, 1.0)));
        assert_eq!(best("acc", &[2.0, f64::INFINITY]), Some((Higher, f64::INFINITY)));
        assert_eq!(best("acc", &[2.0, 2.0, f64::NAN]), None);
        assert_eq!(best("acc", &[f64::NAN]), None);
        assert_eq!(best("lr", &[1.0, 2.0]), None);
    }
}
