"""lifelines' and scikit-survival's measures of censored times, and SciPy's integrals: Fixtures/survival.json."""
import json

import lifelines
import numpy as np
import sksurv
from lifelines.utils import concordance_index
from scipy import integrate, stats
from sksurv.metrics import integrated_brier_score
from sksurv.util import Surv

rng = np.random.default_rng(5)
cases = []
for name, n, decimals in (("smooth", 60, 6), ("many ties", 80, 0), ("no censoring", 40, 3)):
    rate = np.exp(rng.normal(0, 0.7, n))
    event = np.round(rng.exponential(1 / rate) * 10 + 0.5, decimals) + 1e-3
    censor = np.round(rng.exponential(2.0, n) * 10 + 0.5, decimals) + 1e-3
    if name == "no censoring":
        censor = event + 1
    duration, observed = np.minimum(event, censor), event <= censor
    predicted = np.round(1 / rate * np.exp(rng.normal(0, 0.3, n)), 1)
    kaplan = lifelines.KaplanMeierFitter().fit(duration, observed)
    grid = np.quantile(duration, [0.1, 0.25, 0.4, 0.6, 0.8])
    grid = np.unique(np.round(grid + 1e-4, 4))
    survival = np.exp(-grid[None] / (10 * predicted[:, None] + 0.1))
    labels = Surv.from_arrays(observed, duration)
    cases.append({
        "name": name, "durations": duration.tolist(), "observed": observed.tolist(), "predicted": predicted.tolist(),
        "concordance": concordance_index(duration, predicted, observed),
        "kaplanMeier": [[t, float(kaplan.predict(t))] for t in grid],
        "grid": grid.tolist(), "survival": survival.flatten().tolist(),
        "integratedBrier": float(integrated_brier_score(labels, labels, survival, grid)),
    })

# Pareto/NBD's chance of a return, straight from the two gamma posteriors.
returns = []
for x, tx, t, ahead in ((0, 0, 20, 10), (3, 15, 20, 39), (12, 5, 39, 39), (1, 38.9, 39, 4)):
    r, alpha, s, beta = 0.55, 10.6, 0.61, 11.7

    def joint(lam, mu):
        # The likelihood of the history and both priors, with the chance of silence: gone at some time, or staying quiet.
        prior = stats.gamma.pdf(lam, r, scale=1 / alpha) * stats.gamma.pdf(mu, s, scale=1 / beta)
        stays = lam ** x * np.exp(-(lam + mu) * t)
        left = lam ** x * mu / (lam + mu) * (np.exp(-(lam + mu) * tx) - np.exp(-(lam + mu) * t))
        quiet = np.exp(-(lam + mu) * ahead) + mu / (lam + mu) * (1 - np.exp(-(lam + mu) * ahead))
        return prior * (stays + left), prior * (left + stays * quiet)

    # In the logarithms: the priors are steep at zero.
    def over(index):
        f = lambda a, b: joint(np.exp(a), np.exp(b))[index] * np.exp(a + b)
        return integrate.dblquad(f, -30, 3, -30, 3, epsabs=1e-12, epsrel=1e-9)[0]

    returns.append({"x": x, "tx": tx, "t": t, "ahead": ahead, "parameters": [r, alpha, s, beta], "returns": 1 - over(1) / over(0)})

with open("Fixtures/survival.json", "w") as file:
    json.dump({"lifelines": lifelines.__version__, "sksurv": sksurv.__version__, "cases": cases, "paretoReturns": returns}, file)
