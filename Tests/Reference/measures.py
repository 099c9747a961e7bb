"""scikit-learn's measures on small cases with ties, weights and one class: Fixtures/measures.json."""
import json

import numpy as np
import sklearn
from sklearn import metrics

rng = np.random.default_rng(3)
cases = []


def add(name, labels, scores, weights=None, threshold=0.5):
    labels, scores = np.asarray(labels, float), np.asarray(scores, float)
    predicted = (scores >= threshold).astype(int)
    both = len(set(labels.tolist())) == 2
    extra = {} if weights is None else {"sample_weight": weights}
    p, r, f, _ = metrics.precision_recall_fscore_support(
        labels, predicted, average="binary", zero_division=0, **extra
    )
    clipped = np.clip(scores, 1e-7, 1 - 1e-7)
    cases.append({
        "name": name, "labels": labels.tolist(), "scores": scores.tolist(), "threshold": threshold,
        "weights": None if weights is None else list(map(float, weights)),
        "accuracy": metrics.accuracy_score(labels, predicted, **extra),
        "precision": p, "recall": r, "f1": f,
        "rocAUC": metrics.roc_auc_score(labels, scores, **extra) if both else None,
        "prAUC": metrics.average_precision_score(labels, scores, **extra) if labels.sum() else None,
        "logLoss": metrics.log_loss(labels, clipped, labels=[0, 1], **extra),
        "brier": float(np.average((scores - labels) ** 2, weights=weights)),
        "mae": metrics.mean_absolute_error(labels, scores, **extra),
        "mse": metrics.mean_squared_error(labels, scores, **extra),
        "r2": metrics.r2_score(labels, scores, **extra) if both else None,
    })


n = 200
labels = rng.integers(0, 2, n)
add("random", labels, rng.random(n))
add("ties", labels, np.round(rng.random(n), 1))
add("informative", labels, np.clip(0.3 * labels + 0.7 * rng.random(n), 0, 1), threshold=0.4)
add("weighted", labels, np.round(rng.random(n), 1), weights=rng.integers(0, 4, n).astype(float))
add("all equal", labels, np.full(n, 0.3))
add("one class: none return", np.zeros(20), rng.random(20))
add("one class: all return", np.ones(20), rng.random(20))
add("extremes", [0, 1, 1, 0], [0.0, 1.0, 0.0, 1.0])

json.dump({"sklearn": sklearn.__version__, "cases": cases}, open("Fixtures/measures.json", "w"))
