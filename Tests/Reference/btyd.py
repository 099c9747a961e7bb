"""Likelihood terms by numerical integration of the models' definitions: Fixtures/btyd.json.

Independent of the closed forms under test: the heterogeneity and the moment of leaving are integrated.
"""
import json

import mpmath as mp
import numpy as np
from scipy import integrate, stats


def bgnbd(x, tx, t, r, alpha, a, b):
    """Purchases at rate lam; after each repeat purchase, gone with chance p."""
    def inner(lam, p):
        alive = (1 - p) ** x * lam ** x * np.exp(-lam * t)
        gone = 0 if x == 0 else p * (1 - p) ** (x - 1) * lam ** x * np.exp(-lam * tx)
        return (alive + gone) * stats.gamma.pdf(lam, r, scale=1 / alpha) * stats.beta.pdf(p, a, b)
    return integrate.dblquad(inner, 0, 1, 0, np.inf, epsabs=1e-12, epsrel=1e-9)[0]


def pareto(x, tx, t, r, alpha, s, beta):
    """Purchases at rate lam; gone at rate mu."""
    def inner(mu, lam):
        alive = lam ** x * np.exp(-(lam + mu) * t)
        gone = lam ** x * mu / (lam + mu) * (np.exp(-(lam + mu) * tx) - np.exp(-(lam + mu) * t))
        return (alive + gone) * stats.gamma.pdf(lam, r, scale=1 / alpha) * stats.gamma.pdf(mu, s, scale=1 / beta)
    return integrate.dblquad(inner, 0, np.inf, 0, np.inf, epsabs=1e-13, epsrel=1e-8)[0]


customers = [(0, 0.0, 38.86), (1, 10.0, 38.0), (2, 30.43, 38.86), (5, 20.0, 30.0)]
out = {"bgnbd": [], "pareto": []}
for x, tx, t in customers:
    out["bgnbd"].append({"x": x, "tx": tx, "t": t, "parameters": [1.2, 4.4, 1.8, 2.4],
                         "logLikelihood": float(np.log(bgnbd(x, tx, t, 1.2, 4.4, 1.8, 2.4)))})
    for parameters in ([1.5, 10.6, 1.6, 11.7], [1.5, 12.0, 1.6, 8.0]):
        out["pareto"].append({"x": x, "tx": tx, "t": t, "parameters": parameters,
                              "logLikelihood": float(np.log(pareto(x, tx, t, *parameters)))})


def leaving(p, alpha, q, beta, low, high):
    """The integral over the moments of leaving, in thirty digits, from pieces that halve towards its lower end."""
    mp.mp.dps = 30
    points = [mp.mpf(low)] + [low + (high - low) * mp.mpf(2) ** (k - 60) for k in range(1, 61)]
    return mp.log(mp.quad(lambda u: (alpha + u) ** -p * (beta + u) ** -q, points))


generator = np.random.default_rng(1)
out["leaving"], out["hypergeometric"] = [], []
for number in range(60):
    x = int(generator.choice([0, 1, 3, 20, 300, 2000]))
    high = float(generator.uniform(1, 100))
    low = 0.0 if x == 0 else float(generator.uniform(0.01, 0.999)) * high
    r, alpha, s, beta = (float(np.exp(generator.uniform(-4, 5))) for _ in range(4))
    out["leaving"].append({"values": [r + x, alpha, s + 1, beta, low, high],
                           "log": float(leaving(r + x, alpha, s + 1, beta, low, high))})
    # As BG/NBD's expectation asks it.
    r, a, b = (float(np.exp(generator.uniform(-1.5, 1.5))) for _ in range(3))
    z = float(generator.uniform(0.02, 0.9))
    if a + b + x - 1 > 0:
        value = mp.hyp2f1(r + x, b + x, a + b + x - 1, z)
        out["hypergeometric"].append({"values": [r + x, b + x, a + b + x - 1, z], "log": float(mp.log(abs(value)))})
json.dump(out, open("Fixtures/btyd.json", "w"))
