#!/usr/bin/env python3
# Source: the canary-analysis benchmark that this project measures itself by, as of November 2026. Unchanged but for
# this note: it defines what the figures mean, so it is neither reformatted nor type-checked here (see the excludes in
# pyproject.toml).
"""Canary-analysis benchmark: a traffic simulator, three incumbents' decision rules, and sequential tests.

Everything is vectorised over R independent rollouts ("replications").  A rollout advances in ticks
(10 s).  Each tick the traffic model draws, for the canary arm and for the comparison arm, the number of
requests, the number of failed requests and a latency histogram; a *policy* sees only those numbers and
answers with the canary weight for the next tick and a verdict (continue / promote / rollback).

    python canary_sim.py list
    python canary_sim.py run   --methods eproc,flagger-docs --rates 0.2,1000 --regressions none,err+1pp --reps 300
    python canary_sim.py table --in results.jsonl
    python canary_sim.py heldout --seed 7 --cases 40 --methods eproc,flagger-docs      # random scenarios
    python canary_sim.py bench --cmd "product-analyser --stdio" --rates 20 --reps 50   # black box, JSON lines
    python canary_sim.py selftest

Black-box protocol (bench): one JSON object per line on stdin, one line of answer for each.
  start:  {"run":3,"start":true,"t":0,"tick":10,"rate":20,"edges":[...],"slo":{"error_rate":0.01,"p99":0.5}}
          -> {"weight":0.05,"verdict":"continue","baseline":"stable"|"clone"}
             "clone": compare with equally young baseline instances carrying the same weight
  tick:   {"run":3,"t":120,"weight":0.05,"canary":ARM,"canary_mature":ARM,"stable":ARM}
          ARM = {"n":requests,"errors":..,"clients":failures counted once per client,"hist":[bucket counts]}
          "canary_mature" leaves out instances younger than a minute; hist has len(edges)+1 buckets
          -> {"weight":0.1,"verdict":"continue"|"promote"|"rollback"|"pause"}
"""
from __future__ import annotations

import argparse
import dataclasses as dc
import json
import math
import shlex
import subprocess
import sys
import time

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

TICK = 10.0
MATURE_TICKS = 6                                # instances younger than a minute are "fresh"
EDGES = 0.100 * 1.14 ** np.arange(27)          # seconds; bucket 0 is "< 100 ms", the last is overflow
RUN, PROMOTE, ROLLBACK, INCONCLUSIVE = 0, 1, 2, 3

# ------------------------------------------------------------------------------------------------ traffic


@dc.dataclass(frozen=True)
class Service:
    """A service in its healthy state."""
    rate: float = 50.0              # mean requests per second
    p_err: float = 0.002            # probability that a request fails
    median: float = 0.080           # body of the latency mixture: log-normal(median, sigma)
    sigma: float = 0.50
    tail_share: float = 0.05        # tail of the mixture
    tail_median: float = 0.270
    tail_sigma: float = 0.45

    def cdf(self, x, scale=1.0, tail_scale=1.0):
        lx = np.log(x)
        body = ndtr((lx - np.log(self.median * scale)) / self.sigma)
        tail = ndtr((lx - np.log(self.tail_median * scale * tail_scale)) / self.tail_sigma)
        return (1 - self.tail_share) * body + self.tail_share * tail

    def quantile(self, q, tail_scale=1.0):
        return brentq(lambda x: self.cdf(x, 1.0, tail_scale) - q, 1e-3, 60.0)


@dc.dataclass(frozen=True)
class Regression:
    """What is wrong with the new version (nothing by default)."""
    name: str = "none"
    err_add: float = 0.0            # additional failure probability
    p99_ratio: float = 1.0          # the p99 is multiplied by this, through the tail only
    onset: float = 0.0              # seconds of exposure before it shows (slow leaks)

    @property
    def bad(self):
        return self.err_add > 0 or self.p99_ratio > 1


@dc.dataclass(frozen=True)
class Environment:
    """What happens to both versions, or to a healthy canary, for reasons other than the release."""
    diurnal: float = 0.4            # amplitude of the daily sine
    incidents_per_hour: float = 0.5     # shared incidents: both arms fail and slow down alike
    incident_mean_s: float = 120.0
    incident_err: tuple = (0.02, 0.20)
    incident_lat: float = 2.0
    burst_prob: float = 0.01        # per tick: short shared noise burst
    burst_err: float = 0.03
    warm_err: float = 0.01          # cold start: additional error and latency of fresh canary instances
    warm_lat: float = 1.5
    warm_tau: float = 20.0          # seconds, exponential decay
    cluster_prob: float = 0.0       # per tick: a client's run of failures that lands wholly in one arm
    cluster_mean: float = 6.0


CLEAN = Environment(diurnal=0, incidents_per_hour=0, burst_prob=0, warm_err=0, warm_lat=0)
ENVS = {"real": Environment(), "clean": CLEAN, "clustered": Environment(cluster_prob=0.02),
        "storm": Environment(incidents_per_hour=3.0, incident_mean_s=300.0),
        "nowarm": Environment(warm_err=0, warm_lat=0), "slowwarm": Environment(warm_tau=90.0)}
REGRESSIONS = {r.name: r for r in [
    Regression("none"), Regression("err+0.1pp", 0.001), Regression("err+0.5pp", 0.005),
    Regression("err+1pp", 0.01), Regression("err+5pp", 0.05), Regression("broken", 1.0),
    Regression("p99+20%", p99_ratio=1.2), Regression("p99x2", p99_ratio=2.0),
    Regression("late+1pp", 0.01, onset=300.0), Regression("late+5pp", 0.05, onset=300.0)]}


class Traffic:
    """Draws one tick at a time for R rollouts at once."""

    def __init__(self, svc, reg, env, reps, rng):
        self.svc, self.reg, self.env, self.R, self.rng = svc, reg, env, reps, rng
        self.phase = rng.uniform(0, 2 * np.pi, reps)
        self.left = np.zeros(reps)                 # seconds left in the running incident
        self.inc_err = np.zeros(reps)
        self.cohort = np.zeros((12, reps))         # canary capacity by age in ticks; older ones in `old`
        self.old = np.zeros(reps)
        self.exposed = np.zeros(reps)
        self.tail_scale = 1.0
        if reg.p99_ratio != 1.0:
            target = svc.quantile(0.99) * reg.p99_ratio
            self.tail_scale = brentq(lambda s: svc.quantile(0.99, s) - target, 1.0, 50.0)

    def _hist(self, n, scale, tail):
        c = self.svc.cdf(EDGES[None, :], scale[:, None], tail)
        p = np.diff(np.concatenate([np.zeros((len(n), 1)), c, np.ones((len(n), 1))], 1), axis=1)
        p = np.clip(p, 0, 1)
        p /= p.sum(1, keepdims=True)
        return self.rng.multinomial(n, p)

    def step(self, t, w_canary, w_base, fresh_base):
        env, svc, rng, R = self.env, self.svc, self.rng, self.R
        lam = svc.rate * (1 + env.diurnal * np.sin(2 * np.pi * t / 86400 + self.phase))
        start = (self.left <= 0) & (rng.random(R) < env.incidents_per_hour * TICK / 3600)
        self.left = np.where(start, rng.exponential(env.incident_mean_s, R), self.left - TICK)
        self.inc_err = np.where(start, rng.uniform(*env.incident_err, R), self.inc_err)
        on = self.left > 0
        burst = rng.random(R) < env.burst_prob
        p = np.minimum(svc.p_err + on * self.inc_err + burst * env.burst_err, 1.0)
        lat = np.where(on, env.incident_lat, 1.0)

        # new capacity starts cold; cohorts of MATURE seconds and more are reported apart from fresh ones
        have = self.cohort.sum(0) + self.old
        self.old = np.where(w_canary < have - 1e-9, w_canary, self.old + self.cohort[-1])
        self.cohort = np.roll(self.cohort, 1, axis=0) * (w_canary >= have - 1e-9)
        self.cohort[0] = np.clip(w_canary - have, 0, None)
        decay = np.exp(-(np.arange(12) + 0.5) * TICK / env.warm_tau)[:, None]
        f, m = self.cohort[:MATURE_TICKS], self.cohort[MATURE_TICKS:]
        w_f, w_m = f.sum(0), m.sum(0) + self.old
        cold_f = (f * decay[:MATURE_TICKS]).sum(0) / np.maximum(w_f, 1e-12)
        cold_m = (m * decay[MATURE_TICKS:]).sum(0) / np.maximum(w_m, 1e-12)
        cold_b = (cold_f * w_f + cold_m * w_m) / np.maximum(w_f + w_m, 1e-12) if fresh_base else np.zeros(R)
        self.exposed += TICK * (w_canary > 0)
        active = self.exposed > self.reg.onset

        def fail_prob(cold):
            q = np.minimum(p + cold * env.warm_err, 1.0)
            return np.where(active, np.minimum(q + self.reg.err_add, 1.0), q)
        n_f, n_m = rng.poisson(lam * TICK * w_f), rng.poisson(lam * TICK * w_m)
        k_f, k_m = rng.binomial(n_f, fail_prob(cold_f)), rng.binomial(n_m, fail_prob(cold_m))
        n_b = rng.poisson(lam * TICK * w_base)
        k_b = rng.binomial(n_b, np.minimum(p + cold_b * env.warm_err, 1.0))
        u_m, u_b = k_m.copy(), k_b.copy()           # failures counted once per client
        if env.cluster_prob:
            g = rng.geometric(1 / env.cluster_mean, R) * (rng.random(R) < env.cluster_prob)
            in_c = rng.random(R) < w_canary / np.maximum(w_canary + w_base, 1e-12)
            gc, gb = g * in_c * (w_canary > 0), g * ~in_c
            n_m, k_m, u_m = n_m + gc, k_m + gc, u_m + (gc > 0)
            n_b, k_b, u_b = n_b + gb, k_b + gb, u_b + (gb > 0)
        h_m = self._hist(n_m, lat * (1 + cold_m * env.warm_lat), self.tail_scale)
        h_f = self._hist(n_f, lat * (1 + cold_f * env.warm_lat), self.tail_scale)
        h_b = self._hist(n_b, lat * (1 + cold_b * env.warm_lat), 1.0)
        n_c, k_c = n_m + n_f, k_m + k_f
        excess = n_c * np.where(active, np.minimum(self.reg.err_add, 1 - p), 0.0)
        return dict(t=t + TICK, n_c=n_c, n_b=n_b, k_c=k_c, k_b=k_b, h_c=h_m + h_f, h_b=h_b,
                    n_m=n_m, k_m=k_m, u_m=u_m, u_b=u_b, h_m=h_m, excess=excess)


def hist_quantile(h, q):
    """Prometheus histogram_quantile over (..., B) bucket counts; NaN where there is no observation."""
    cum = np.cumsum(h, -1).astype(float)
    tot = cum[..., -1]
    target = q * tot
    i = np.minimum((cum < target[..., None]).sum(-1), h.shape[-1] - 1)
    lo = np.concatenate([[0.0], EDGES])[i]
    hi = np.concatenate([EDGES, [EDGES[-1]]])[i]
    prev = np.where(i > 0, np.take_along_axis(cum, np.maximum(i - 1, 0)[..., None], -1)[..., 0], 0.0)
    inb = np.take_along_axis(h, i[..., None], -1)[..., 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        v = lo + (hi - lo) * (target - prev) / inb
    return np.where(tot > 0, v, np.nan)


class Window:
    """Sliding sums over the last `ticks` ticks of the canary arm."""

    def __init__(self, ticks):
        self.ticks, self.buf = ticks, []

    def push(self, *arrays):
        self.buf.append(arrays)
        if len(self.buf) > self.ticks:
            self.buf.pop(0)

    def sums(self):
        return [sum(x) for x in zip(*self.buf)]


# ------------------------------------------------------------------------------------------------ policies


class Policy:
    """Base: `w` is the canary weight, `state` the verdict, both of shape (R,)."""
    fresh_base = False
    t_max = 3600.0

    def __init__(self, svc, reps):
        self.svc, self.R = svc, reps
        self.w, self.state = np.zeros(reps), np.zeros(reps, int)

    def base_weight(self):
        return 1.0 - self.w

    def observe(self, o):
        raise NotImplementedError

    def done(self, mask, verdict):
        self.state = np.where(mask & (self.state == RUN), verdict, self.state)


class Flagger(Policy):
    """pkg/controller/scheduler.go:advanceCanary, scheduler_metrics.go:runBuiltinMetricChecks.

    Per interval, in this order: roll back when failedChecks >= threshold; first pass only sets the first
    weight; otherwise check the metrics of the last minute.  A failed check, or no value at all (NaN),
    increments failedChecks (it is never reset) and halts the advance; success adds stepWeight and, at
    maxWeight, promotes.
    """

    def __init__(self, svc, reps, threshold=10, step=0.05, wmax=0.50, interval=60.0,
                 min_success=0.99, max_p99=0.500):
        super().__init__(svc, reps)
        self.threshold, self.step, self.wmax, self.interval = threshold, step, wmax, interval
        self.min_success, self.max_p99 = min_success, max_p99
        self.failed = np.zeros(reps, int)
        self.win = Window(int(interval / TICK))
        self.w[:] = step                      # the pass at weight 0 runs no analysis
        self.next = interval

    def observe(self, o):
        self.win.push(o["n_c"], o["k_c"], o["h_c"])
        if o["t"] < self.next - 1e-6:
            return
        self.next += self.interval
        run = self.state == RUN
        self.done(run & (self.failed >= self.threshold), ROLLBACK)
        run = self.state == RUN
        n, k, h = self.win.sums()
        with np.errstate(invalid="ignore", divide="ignore"):
            ok = (n > 0) & (1 - k / n >= self.min_success) & (hist_quantile(h, 0.99) <= self.max_p99)
        self.failed += run & ~ok
        at_max = self.w >= self.wmax - 1e-9
        self.done(run & ok & at_max, PROMOTE)
        self.w = np.where(run & ok & ~at_max, np.minimum(self.w + self.step, self.wmax), self.w)


class ArgoRollouts(Policy):
    """analysis/analysis.go:assessMetricFailureInconclusiveOrError with background analysis.

    Measurement: no series yet -> Error (retry after 10 s, aborts at > consecutiveErrorLimit, default 4);
    successCondition false, NaN included -> Failed, aborts at failed > failureLimit (default 0).
    """

    def __init__(self, svc, reps, steps=((0.2, 600), (0.4, 600), (0.6, 600), (0.8, 600)), interval=300.0,
                 window=20.0, min_success=0.95, max_p99=None, failure_limit=3, error_limit=4,
                 initial_delay=0.0):
        super().__init__(svc, reps)
        self.steps, self.interval = steps, interval
        self.min_success, self.max_p99 = min_success, max_p99
        self.failure_limit, self.error_limit = failure_limit, error_limit
        self.win = Window(max(1, int(window / TICK)))
        self.due = np.full(reps, initial_delay)
        self.seen = np.zeros(reps)
        self.failed, self.cerr = np.zeros((reps, 2), int), np.zeros(reps, int)
        self.w[:] = steps[0][0]
        self.ends = np.cumsum([d for _, d in steps])

    def observe(self, o):
        self.win.push(o["n_c"], o["k_c"], o["h_c"])
        self.seen += o["n_c"]
        t = o["t"]
        run = (self.state == RUN) & (t >= self.due)
        n, k, h = self.win.sums()
        err = run & (self.seen == 0)
        self.cerr = np.where(err, self.cerr + 1, np.where(run, 0, self.cerr))
        with np.errstate(invalid="ignore", divide="ignore"):
            ok = 1 - k / n >= self.min_success               # NaN compares false, as in expr-lang
            ok_lat = hist_quantile(h, 0.99) <= self.max_p99 if self.max_p99 else np.ones(self.R, bool)
        self.failed[:, 0] += run & ~err & ~ok
        self.failed[:, 1] += run & ~err & ~ok_lat
        self.due = np.where(run, t + np.where(err, 10.0, self.interval), self.due)
        self.done((self.failed > self.failure_limit).any(1) | (self.cerr > self.error_limit), ROLLBACK)
        self.done(np.full(self.R, t >= self.ends[-1]), PROMOTE)
        i = min(int((t >= self.ends).sum()), len(self.steps) - 1)
        self.w[:] = self.steps[i][0]


def mann_whitney_ci(x, y, z=2.3263478740408408):
    """Lower end of the interval and estimate of the location shift x - y, rows = replications.

    Same roots as kayenta-mannwhitney MannWhitney.scala (normal approximation, tie-corrected variance,
    continuity correction), read off the sorted pairwise differences instead of searched with Brent.
    """
    R, m = x.shape
    n = y.shape[1]
    d = np.sort((x[:, :, None] - y[:, None, :]).reshape(R, -1), axis=1)[:, ::-1]     # descending

    def ties(a):
        s = np.sort(a, 1)
        out = np.zeros(len(a))
        for r in range(len(a)):
            c = np.unique(s[r], return_counts=True)[1].astype(float)
            out[r] = (c ** 3 - c).sum()
        return out
    tie = ties(x) + ties(y)
    sigma = np.sqrt(np.maximum(m * n / 12 * ((m + n + 1) - tie / ((m + n) * (m + n - 1))), 1e-12))
    k = m * n / 2 + 0.5 + z * sigma                      # dz - 0.5 = z sigma  <=>  #{d > mu} = k
    idx = np.ceil(k).astype(int) - 1
    lower = np.where(idx >= m * n, d[:, -1], d[np.arange(R), np.clip(idx, 0, m * n - 1)])
    est = np.median(d, axis=1)
    return lower, est


def brent(f, lo, hi, tol=1e-4):
    """Brent-Dekker root search with an ABSOLUTE tolerance, as in R's zeroin and Kayenta's BrentSolver.

    The tolerance matters: on zero-inflated series both roots lie on the jump at 0 and the sign of what is
    returned is decided by the search path, so the judge depends on the unit of the metric.
    """
    a, b, fa, fb = lo, hi, f(lo), f(hi)
    if fa == 0:
        return a
    c, fc = a, fa
    for _ in range(1000):
        last = b - a
        if abs(fc) < abs(fb):
            a, b, c, fa, fb, fc = b, c, b, fb, fc, fb
        eps = 4.4e-16 * abs(b) + tol / 2
        half = (c - b) / 2
        if abs(half) <= eps or fb == 0:
            return b
        step = half
        if abs(last) >= eps and abs(fa) > abs(fb):
            r = fb / fa
            if a == c:
                p, q = (c - b) * r, 1 - r
            else:
                u, v = fa / fc, fb / fc
                p = r * ((c - b) * u * (u - v) - (b - a) * (v - 1))
                q = (u - 1) * (v - 1) * (r - 1)
            p, q = (p, -q) if p > 0 else (-p, q)
            if p < 0.75 * (c - b) * q - abs(eps * q) / 2 and p < abs(last * q / 2):
                step = p / q
        if abs(step) < eps:
            step = math.copysign(eps, step)
        a, fa = b, fb
        b += step
        fb = f(b)
        if fb * fc > 0:
            c, fc = a, fa
    return b


def mann_whitney_brent(x, y, z=2.3263478740408408):
    """One row, the slow and literal way (used where ties make the order statistics ambiguous)."""
    m, n = len(x), len(y)
    ys = np.sort(y)

    def f(mu, q):
        xs = x - mu
        left, right = np.searchsorted(ys, xs, "left"), np.searchsorted(ys, xs, "right")
        dz = (left + 0.5 * (right - left)).sum() - m * n / 2
        t = np.unique(np.concatenate([xs, y]), return_counts=True)[1].astype(float)
        sig = math.sqrt(max(m * n / 12 * ((m + n + 1) - (t ** 3 - t).sum() / ((m + n) * (m + n - 1))), 1e-300))
        return (dz - 0.5 * np.sign(dz)) / sig - q
    lo, hi = x.min() - y.max(), x.max() - y.min()
    if f(lo, z) <= 0:
        lower = lo
    elif f(hi, z) >= 0:
        lower = hi
    else:
        lower = brent(lambda u: f(u, z), lo, hi)
    return lower, brent(lambda u: f(u, 0.0), lo, hi)


def kayenta_high(x, y, tolerance=0.25, z=2.3263478740408408, allowed=1.0):
    """MannWhitneyClassifier.compare, direction "increase": rows of experiment x and control y."""
    lower, est = mann_whitney_ci(x, y, z)
    for r in np.nonzero((np.abs(lower) < 1e-3) & (x.max(1) > y.min(1)) & (x.std(1) + y.std(1) > 0))[0]:
        lower[r], est[r] = mann_whitney_brent(x[r], y[r], z)
    mx, my = x.mean(1), y.mean(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where((mx == 0) | (my == 0), np.nan, mx / my)
    if x.shape == y.shape:
        same = (np.sort(x, 1) == np.sort(y, 1)).all(1)
    else:
        same = (x.min(1) == x.max(1)) & (y.min(1) == y.max(1)) & (x[:, 0] == y[:, 0])
    return ~same & (lower > tolerance * np.abs(est)) & (np.isnan(ratio) | (ratio >= allowed))


class Kayenta(Policy):
    """NetflixACAJudge.scala + MannWhitneyClassifier.scala (tolerance 0.25, confLevel 0.98) + WeightedSumScorer.

    10 % canary against a fresh 10 % baseline, one point a minute, growing window, judged every 10 min
    after 5 min of warm-up; one hour; two metrics (failure rate, p99), direction increase, one group each,
    equal weights, pass 95 / marginal 75.  Minutes without data are NaN and are removed (NaNStrategy.parse
    maps anything but "replace" to Remove); a metric without data is Nodata, and half of them fail the canary.
    """
    fresh_base = True

    def __init__(self, svc, reps, weight=0.10, life=3600.0, warmup=300.0, every=600.0, passing=95, marginal=75):
        super().__init__(svc, reps)
        self.w[:] = weight
        self.weight, self.life, self.warmup, self.every = weight, life, warmup, every
        self.passing, self.marginal = passing, marginal
        self.t_max = life + warmup
        self.wc, self.wb = Window(6), Window(6)
        self.pts = []
        self.next = warmup + every

    def base_weight(self):
        return np.where(self.w > 0, self.weight, 0.0)

    def observe(self, o):
        self.wc.push(o["n_c"], o["k_c"], o["h_c"])
        self.wb.push(o["n_b"], o["k_b"], o["h_b"])
        t = o["t"]
        if t > self.warmup and abs(t / 60 - round(t / 60)) < 1e-6:
            row = []
            for w in (self.wc, self.wb):
                n, k, h = w.sums()
                with np.errstate(invalid="ignore", divide="ignore"):
                    row += [100 * k / n, 1000 * hist_quantile(h, 0.99)]         # percent, milliseconds
            self.pts.append(row)
        if t < self.next - 1e-6:
            return
        self.next += self.every
        run = self.state == RUN
        a = np.array(self.pts)                                       # (T, 4, R)
        score = np.zeros(self.R)
        for i in range(2):
            x, y = a[:, i, :].T, a[:, i + 2, :].T
            full = run & ~np.isnan(x).any(1) & ~np.isnan(y).any(1)
            if full.any():
                score[full] += 50.0 * ~kayenta_high(x[full], y[full])
            for r in np.nonzero(run & ~full)[0]:
                xr, yr = x[r][~np.isnan(x[r])], y[r][~np.isnan(y[r])]
                if len(xr) and len(yr):
                    score[r] += 50.0 * ~kayenta_high(xr[None], yr[None])[0]
        self.done(run & (score < self.marginal), ROLLBACK)
        if t >= self.t_max - 1e-6:
            self.done(score >= self.passing, PROMOTE)
            self.done(np.ones(self.R, bool), INCONCLUSIVE)


# -- sequential tests -----------------------------------------------------------------------------------
# All of them condition, tick by tick, on the totals: given n_c, n_b and k failures in a tick, a healthy
# canary owns each failure with probability n_c/(n_c+n_b), WHATEVER the common failure rate is then.


class EProcess:
    """Mixture e-process for "the canary's odds of an event exceed `tol` x the concurrent baseline's".

    One value per replication; under the null its running maximum reaches 1/alpha with probability at
    most alpha, for any number of looks, any predictable change of weight and any common drift.
    (Binomial factors dominate the exact hypergeometric ones: the factor is convex in k_c, Hoeffding 1963.)
    """
    RATIOS = np.array([1.5, 2.0, 4.0, 10.0, 50.0, 1000.0])

    def __init__(self, reps, tol=1.2, ratios=None):
        self.tol = tol
        self.ratios = np.asarray(ratios if ratios is not None else self.RATIOS) * 1.0
        self.log = np.zeros((reps, len(self.ratios)))

    def update(self, k_c, n_c, k_b, n_b):
        a = n_c[:, None].astype(float)
        b = n_b[:, None].astype(float)
        live = (n_c > 0) & (n_b > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            # log[ q/pi ] = log(ratio/tol) - log(mix_q/mix_pi) ; log[(1-q)/(1-pi)] = - log(mix_q/mix_pi)
            mix = np.log((self.ratios * a + b) / (self.tol * a + b))
        inc = k_c[:, None] * np.log(self.ratios / self.tol) - (k_c + k_b)[:, None] * mix
        self.log += np.where(live[:, None], np.nan_to_num(inc), 0.0)

    def value(self):
        return np.exp(np.minimum(self.log, 600)).mean(1)


class RestartEProcess(EProcess):
    """Mixture over start times as well: catches a regression that only shows after minutes (leaks, caches).

    Weight 1/2 on "from the start", the rest spread over a new start every `every` updates; still an e-process.
    """

    def __init__(self, reps, tol=1.1, ratios=None, every=6):
        super().__init__(reps, tol, ratios)
        self.every, self.count, self.snaps = every, 0, []

    def update(self, *a):
        if self.count and self.count % self.every == 0:
            self.snaps.append(self.log.copy())
        self.count += 1
        super().update(*a)

    def value(self):
        e, used = 0.5 * np.exp(np.minimum(self.log, 600)).mean(1), 0.5
        for j, s in enumerate(self.snaps, 1):
            w = 0.5 / (j * (j + 1))
            used += w
            e = e + w * np.exp(np.minimum(self.log - s, 600)).mean(1)
        return e + (1.0 - used)


class PlugInEProcess:
    """The same bet with a predictable plug-in ratio instead of a mixture (no grid)."""

    def __init__(self, reps, tol=1.2):
        self.tol, self.log = tol, np.zeros(reps)
        self.kc, self.ec = np.full(reps, 1.0), np.full(reps, 0.25)

    def update(self, k_c, n_c, k_b, n_b):
        r = np.clip(self.kc / self.ec, self.tol, 1e3)
        live = (n_c > 0) & (n_b > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mix = np.log((r * n_c + n_b) / (self.tol * n_c + n_b))
            inc = k_c * np.log(r / self.tol) - (k_c + k_b) * mix
            e = n_c * (k_b / n_b)
        self.log += np.where(live, np.nan_to_num(inc), 0.0)
        self.kc += np.where(live, k_c, 0)
        self.ec += np.where(live, np.nan_to_num(e), 0)

    def value(self):
        return np.exp(np.minimum(self.log, 600))


class BetaMSPRT:
    """Beta-binomial mixture SPRT on the share of failures that are the canary's (two-sided prior,
    rejects upwards only), restarted whenever the weight changes, the restarts multiplied."""

    def __init__(self, reps, tol=1.2, strength=2.0):
        self.tol, self.s = tol, strength
        self.done_log = np.zeros(reps)
        self.kc = np.zeros(reps); self.kb = np.zeros(reps)
        self.nc = np.zeros(reps); self.nb = np.zeros(reps)
        self.null = np.zeros(reps)
        self.pi0 = np.full(reps, np.nan)

    def update(self, k_c, n_c, k_b, n_b):
        from scipy.special import betaln
        live = (n_c > 0) & (n_b > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            pi = self.tol * n_c / (self.tol * n_c + n_b)
            pi = np.where(live, pi, 0.5)
        new = live & (np.isnan(self.pi0) | (np.abs(pi / self.pi0 - 1) > 0.8))
        cur = self._cur()
        self.done_log = np.where(new, self.done_log + cur, self.done_log)
        for v in ("kc", "kb", "null"):
            setattr(self, v, np.where(new, 0.0, getattr(self, v)))
        self.pi0 = np.where(new, np.clip(pi, 1e-4, 1 - 1e-4), self.pi0)
        self.kc += np.where(live, k_c, 0); self.kb += np.where(live, k_b, 0)
        self.null += np.where(live, k_c * np.log(pi) + k_b * np.log1p(-pi), 0)

    def _cur(self):
        from scipy.special import betaln
        p = np.where(np.isnan(self.pi0), 0.5, self.pi0)
        a, b = self.s * p, self.s * (1 - p)
        return betaln(a + self.kc, b + self.kb) - betaln(a, b) - self.null

    def value(self):
        p = np.where(np.isnan(self.pi0), 0.5, self.pi0)
        up = self.kc > p * (self.kc + self.kb)
        return np.where(up, np.exp(np.minimum(self.done_log + self._cur(), 600)), 0.0)


class GaussCS:
    """Normal-mixture confidence sequence on the stratified excess S = sum(k_c - k pi) (asymptotic)."""

    def __init__(self, reps, tol=1.2, v0=5.0):
        self.tol, self.v0 = tol, v0
        self.s, self.v = np.zeros(reps), np.zeros(reps)

    def update(self, k_c, n_c, k_b, n_b):
        live = (n_c > 0) & (n_b > 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            pi = np.nan_to_num(self.tol * n_c / (self.tol * n_c + n_b))
        k = k_c + k_b
        self.s += np.where(live, k_c - k * pi, 0)
        self.v += np.where(live, k * pi * (1 - pi), 0)

    def value(self):
        e = np.sqrt(self.v0 / (self.v + self.v0)) * np.exp(np.minimum(self.s ** 2 / (2 * (self.v + self.v0)), 600))
        return np.where(self.s > 0, 2 * e * ndtr(self.s / np.sqrt(self.v + self.v0)), 0.0)


class ZPeek(GaussCS):
    """Repeated fixed-sample z-test at one-sided alpha: what a naive 'p < 0.01' gate does."""

    def value(self):
        z = self.s / np.sqrt(np.maximum(self.v, 1e-9))
        return np.where((self.v > 1) & (z > 2.326), 1e9, 0.0)


class Sequential(Policy):
    """Roll back when the combined e-value reaches 1/alpha; ramp by a scheme; promote after `t_promote`.

    Combined e-value = half errors + half latency (mean over the p95/p99 thresholds of the stable version,
    taken before the rollout): an average of e-values is an e-value, so one alpha covers everything.
    Only requests served by mature instances (age >= 60 s) are tested (`mature=False` tests all of them).
    A catastrophe guard is on from the first request: "more than 25 % of the canary's requests fail, and
    more than 3x the baseline's share".
    Ramp "harm": the weight is the largest at which a canary as bad as the current upper bound of its
    excess failure rate costs at most `budget` failed requests within the reaction time `react`.
    """

    def __init__(self, svc, reps, alpha=0.01, test=EProcess, tol=1.1, ramp="harm", mature=True,
                 t_promote=720.0, t_max=3600.0, budget=20.0, wmin=0.01, wmax=0.5, dedupe=False,
                 fresh=False, patient=None, ratios=None, hold=10.0, react=30.0, every=30.0, growth=3.0,
                 look=TICK):
        super().__init__(svc, reps)
        kw = {"ratios": ratios} if (ratios is not None and issubclass(test, EProcess)) else {}
        self.err = test(reps, tol, **kw)
        q = [0.95, 0.99]
        self.cut = [int(np.argmin(abs(np.log(EDGES / svc.quantile(x))))) for x in q]
        self.lat = [test(reps, tol, **kw) for _ in q]
        self.alpha, self.ramp, self.mature = alpha, ramp, mature
        self.t_promote, self.t_max, self.budget = t_promote, t_max, budget
        self.wmin, self.wmax, self.dedupe, self.patient = wmin, wmax, dedupe, patient
        self.hold, self.react, self.every, self.growth = hold, react, every, growth
        self.look, self.buf = look, None             # act on sums over `look` seconds only
        self.fresh_base = fresh                      # compare with equally young baseline instances
        if fresh:
            self.mature = False
        self.guard = np.zeros(reps)
        self.tot = np.zeros((4, reps))
        self.rate = np.full(reps, svc.rate)          # known from the stable version's history
        self.e = np.zeros(reps)
        self.next = every
        self.w[:] = {"harm": 0, "linear": 0.05, "geometric": 0.01, "flat": 0.10, "half": 0.5}[ramp]
        if ramp == "harm":
            self.w[:] = self._harm_cap(np.ones(reps))

    def base_weight(self):
        return self.w if self.fresh_base else 1.0 - self.w

    def _harm_cap(self, upper):
        return np.clip(self.budget / (self.rate * upper * self.react), self.wmin, self.wmax)

    def observe(self, o):
        if self.look > TICK:
            keys = [k for k in o if k not in ("t", "excess")]
            self.buf = {k: o[k] + self.buf[k] for k in keys} if self.buf else {k: o[k] for k in keys}
            if o["t"] % self.look > 1e-6:
                return
            o, self.buf = dict(self.buf, t=o["t"]), None
        t, run = o["t"], self.state == RUN
        s = "m" if self.mature else "c"
        z = lambda a: np.where(run, a, 0)
        kc, kb = o["k_" + s], o["k_b"]
        if self.dedupe:
            kc, kb = kc - (o["k_m"] - o["u_m"]), o["u_b"]
        nc, nb, kc, kb = z(o["n_" + s]), z(o["n_b"]), z(kc), z(kb)
        self.err.update(kc, nc, kb, nb)
        for c, test in zip(self.cut, self.lat):
            test.update(z(o["h_" + s][:, c + 1:].sum(1)), nc, z(o["h_b"][:, c + 1:].sum(1)), nb)
        self.e = 0.5 * self.err.value() + 0.5 * np.mean([x.value() for x in self.lat], axis=0)
        self.tot += np.array([nc, kc, nb, kb])

        ka, na = o["k_c"], o["n_c"]
        if self.dedupe:
            ka, na = ka - (o["k_m"] - o["u_m"]), na - (o["k_m"] - o["u_m"])
        self.guard = np.maximum(self.guard + ka * math.log(0.9 / 0.25) + (na - ka) * math.log(0.1 / 0.75), 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            worse = np.nan_to_num(ka / na) > 3 * np.nan_to_num(o["k_b"] / o["n_b"])
        crash = (self.guard > math.log(1 / self.alpha) + 2) & worse
        self.done((self.e >= 1 / self.alpha) | crash, ROLLBACK)

        calm = (self.state == RUN) & (self.e < self.hold)
        upper = self.upper_bound()
        if t >= self.next - 1e-6:
            self.next += self.every
            if self.ramp == "harm":
                target = np.minimum(self._harm_cap(upper), self.w * self.growth)
                if t >= 0.5 * self.t_promote:           # so that every rollout soaks at the top
                    target = np.minimum(np.maximum(target, self.w * self.growth), self.wmax)
            elif self.ramp == "linear":
                target = np.full(self.R, min(0.05 * (1 + t // 60), self.wmax))
            elif self.ramp == "geometric":
                target = np.full(self.R, min(0.01 * 2 ** (t // 60), self.wmax))
            else:
                target = self.w
            self.w = np.where(calm & (target > self.w), target, self.w)
        enough = True if self.patient is None else (upper <= self.patient) | (t >= self.t_max - 1e-6)
        self.done(calm & (t >= self.t_promote) & enough, PROMOTE)
        self.done(np.full(self.R, t >= self.t_max - 1e-6), INCONCLUSIVE)

    def upper_bound(self):
        """About 99 % upper bound of the canary's excess failure probability (steers the ramp only)."""
        n_c, k_c, n_b, k_b = self.tot
        with np.errstate(invalid="ignore", divide="ignore"):
            pb = np.nan_to_num(k_b / n_b)
            up = (k_c + 2.7 + 2.33 * np.sqrt(k_c + 1.35)) / n_c
        return np.clip(np.where(n_c > 0, up - pb, 1.0), 1e-5, 1.0)


METHODS = {
    "flagger-docs": lambda s, r: Flagger(s, r, threshold=10, step=0.05),
    "flagger-tut": lambda s, r: Flagger(s, r, threshold=5, step=0.10),
    "argo-docs": lambda s, r: ArgoRollouts(s, r),
    "argo-strict": lambda s, r: ArgoRollouts(s, r, interval=60.0, window=60.0, min_success=0.99, max_p99=0.5,
                                             initial_delay=60.0),
    "kayenta": lambda s, r: Kayenta(s, r),
    "zpeek": lambda s, r: Sequential(s, r, test=ZPeek),
    "gauss": lambda s, r: Sequential(s, r, test=GaussCS),
    "msprt-beta": lambda s, r: Sequential(s, r, test=BetaMSPRT),
    "plugin": lambda s, r: Sequential(s, r, test=PlugInEProcess),
    "eproc": lambda s, r: Sequential(s, r),
    "eproc-patient": lambda s, r: Sequential(s, r, patient=0.003),
    "eproc-dedupe": lambda s, r: Sequential(s, r, test=RestartEProcess, dedupe=True),
    "eproc-best": lambda s, r: Sequential(s, r, test=RestartEProcess, dedupe=True, fresh=True),
    "eproc-allages": lambda s, r: Sequential(s, r, mature=False),
    "eproc-restart": lambda s, r: Sequential(s, r, test=RestartEProcess),
    "eproc-look60": lambda s, r: Sequential(s, r, look=60.0),
    "eproc-fresh": lambda s, r: Sequential(s, r, fresh=True),
    "eproc-best-patient": lambda s, r: Sequential(s, r, test=RestartEProcess, dedupe=True, fresh=True, patient=0.003),
    "eproc-linear": lambda s, r: Sequential(s, r, ramp="linear"),
    "eproc-geo": lambda s, r: Sequential(s, r, ramp="geometric"),
    "eproc-flat10": lambda s, r: Sequential(s, r, ramp="flat"),
    "eproc-half": lambda s, r: Sequential(s, r, ramp="half"),
    "eproc-tol1": lambda s, r: Sequential(s, r, tol=1.0),
    "eproc-tol1.2": lambda s, r: Sequential(s, r, tol=1.2),
}

# ------------------------------------------------------------------------------------------------ running


class External(Policy):
    """Black-box analyser over JSON lines (one replication at a time: R = 1)."""

    def __init__(self, svc, reps, proc, run, t_max=3600.0):
        super().__init__(svc, reps)
        self.proc, self.run, self.t_max = proc, run, t_max
        self.slo = {"error_rate": 0.01, "p99": 0.5}
        self._ask({"run": run, "t": 0, "tick": TICK, "start": True, "rate": svc.rate, "slo": self.slo,
                   "edges": [round(float(e), 6) for e in EDGES]})

    def _ask(self, msg):
        self.proc.stdin.write(json.dumps(msg) + "\n")
        self.proc.stdin.flush()
        r = json.loads(self.proc.stdout.readline())
        if msg.get("start"):
            self.fresh_base = r.get("baseline") == "clone"
        self.w[:] = r.get("weight", self.w[0])
        self.state[:] = {"continue": RUN, "promote": PROMOTE, "rollback": ROLLBACK, "pause": RUN}[r["verdict"]]

    def base_weight(self):
        return self.w if self.fresh_base else 1.0 - self.w

    def observe(self, o):
        def arm(n, k, u, h):
            return {"n": int(n[0]), "errors": int(k[0]), "clients": int(u[0]), "hist": h[0].tolist()}
        dup = o["k_m"] - o["u_m"]
        self._ask({"run": self.run, "t": o["t"], "weight": float(self.w[0]),
                   "canary": arm(o["n_c"], o["k_c"], o["k_c"] - dup, o["h_c"]),
                   "canary_mature": arm(o["n_m"], o["k_m"], o["u_m"], o["h_m"]),
                   "stable": arm(o["n_b"], o["k_b"], o["u_b"], o["h_b"])})
        if o["t"] >= self.t_max:
            self.done(np.ones(self.R, bool), INCONCLUSIVE)


def rollout(policy, traffic, t_limit=4 * 3600):
    R = policy.R
    served, fails, excess = np.zeros(R), np.zeros(R), np.zeros(R)
    t_end = np.full(R, np.nan)
    t = 0.0
    while (policy.state == RUN).any() and t < t_limit:
        live = policy.state == RUN
        wc = np.where(live, policy.w, 0.0)
        wb = np.where(live, policy.base_weight(), 0.0)
        o = traffic.step(t, wc, wb, policy.fresh_base)
        served += o["n_c"]; fails += o["k_c"]; excess += o["excess"]
        policy.observe(o)
        t = o["t"]
        t_end = np.where(live & (policy.state != RUN), t, t_end)
    return dict(state=policy.state.copy(), t=np.where(np.isnan(t_end), t, t_end), served=served, fails=fails,
                excess=excess)


def summarise(res, reg, svc):
    st = res["state"]
    rb, pr = st == ROLLBACK, st == PROMOTE
    med = lambda a, m: float(np.median(a[m])) if m.any() else None
    lost = svc.rate * reg.err_add * 3600.0        # a missed regression: one hour at full traffic
    return dict(rollback=float(rb.mean()), promote=float(pr.mean()), inconclusive=float((~rb & ~pr).mean()),
                t_rollback=med(res["t"], rb), t_promote=med(res["t"], pr), req_rollback=med(res["served"], rb),
                bad_in_rollout=float(res["excess"].mean()), bad_median=med(res["excess"], rb),
                bad_with_miss=float((res["excess"] + ~rb * lost).mean()), reps=int(len(st)))


def run_case(method, svc, reg, env, reps, seed):
    rng = np.random.default_rng(seed)
    if method == "oracle":                           # knows the true ratio of failure rates: a yardstick
        pol = Sequential(svc, reps, ratios=[max(1.2, min(1.0, svc.p_err + reg.err_add) / svc.p_err)])
    else:
        pol = METHODS[method](svc, reps)
    t0 = time.time()
    out = summarise(rollout(pol, Traffic(svc, reg, env, reps, rng)), reg, svc)
    out["wall"] = round(time.time() - t0, 2)
    return out


def heldout_cases(seed, n):
    """Random scenarios: draw them with a fresh seed, so that nothing was tuned on them."""
    rng = np.random.default_rng(seed)
    for i in range(n):
        svc = Service(rate=float(10 ** rng.uniform(-1, 3.5)), p_err=float(10 ** rng.uniform(-4.5, -1.7)),
                      sigma=float(rng.uniform(.3, .8)), tail_share=float(rng.uniform(.02, .1)),
                      tail_sigma=float(rng.uniform(.3, .7)))
        env = Environment(diurnal=float(rng.uniform(0, .8)), incidents_per_hour=float(rng.exponential(.7)),
                          incident_mean_s=float(rng.uniform(30, 400)), burst_prob=float(rng.uniform(0, .03)),
                          warm_err=float(rng.uniform(0, .03)), warm_lat=float(rng.uniform(0, 3)),
                          warm_tau=float(rng.uniform(5, 25)), cluster_prob=float(rng.choice([0, 0, .01])))
        kind = rng.choice(["good", "good", "err", "lat", "slow"])
        reg = {"good": Regression("none"),
               "err": Regression("err", err_add=float(10 ** rng.uniform(-3, 0))),
               "lat": Regression("lat", p99_ratio=float(rng.uniform(1.2, 4))),
               "slow": Regression("slow", err_add=float(10 ** rng.uniform(-2, -.5)), onset=float(rng.uniform(60, 400)))}[kind]
        yield i, svc, reg, env


def heldout_black_box(command, seed, cases, reps, t_max):
    """Random scenarios against a program that speaks the protocol above; prints what it found and what it rolled back wrongly."""
    proc = subprocess.Popen(shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    good, bad, run = [], [], 0
    for i, svc, reg, env in heldout_cases(seed, cases):
        acc = []
        for r in range(reps):
            run += 1
            acc.append(rollout(External(svc, 1, proc, run, t_max), Traffic(svc, reg, env, 1, np.random.default_rng((seed, i, r)))))
        s = summarise({k: np.concatenate([x[k] for x in acc]) for k in acc[0]}, reg, svc)
        (bad if reg.bad else good).append(s["rollback"])
    proc.stdin.close(); proc.wait()
    print(f"detection {100*np.mean(bad):5.1f}% of {len(bad)} bad scenarios; false rollbacks {100*np.mean(good):5.2f}% of {len(good)} good, worst {100*max(good):.1f}%; {reps} runs each")


# ------------------------------------------------------------------------------------------------ CLI


def selftest():
    rng = np.random.default_rng(1)
    # 1. the order-statistic form of Kayenta's interval against a direct search of its step function
    from scipy.stats import rankdata
    for _ in range(20):
        x = rng.normal(1, 1, 12).round(1); y = rng.normal(0, 1, 15).round(1)

        def f(mu, zq):
            r = rankdata(np.concatenate([x - mu, y]))
            dz = r[:12].sum() - 12 * 13 / 2 - 12 * 15 / 2
            c = np.unique(r, return_counts=True)[1].astype(float)
            s = math.sqrt(12 * 15 / 12 * (28 - (c ** 3 - c).sum() / (27 * 26)))
            return (dz - 0.5 * np.sign(dz)) / s - zq
        lo, hi = x.min() - y.max(), x.max() - y.min()
        a, b = lo, hi
        for _ in range(60):
            m = (a + b) / 2
            a, b = (m, b) if f(m, 2.3263478740408408) > 0 else (a, m)
        low, est = mann_whitney_ci(x[None], y[None])
        assert abs(low[0] - b) < 0.11, (low[0], b)
    # 2. e-process: supremum under the null, with drifting rates and changing weights
    R = 4000
    e, mx = EProcess(R, tol=1.0), np.zeros(R)
    for t in range(300):
        p = 0.01 + 0.2 * (t % 50 == 0)
        n_c, n_b = rng.poisson(5 * (1 + t // 50), R), rng.poisson(60, R)
        e.update(rng.binomial(n_c, p), n_c, rng.binomial(n_b, p), n_b)
        mx = np.maximum(mx, e.value())
    rate = (mx >= 100).mean()
    assert rate <= 0.012, rate
    print("selftest ok; null crossings of 1/alpha at alpha=1 %%: %.3f %%" % (100 * rate))


def fmt(x, nd=0):
    return "-" if x is None else (f"{x:,.{nd}f}")


def main(argv=None):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sub = ap.add_subparsers(dest="cmd", required=True)
    sub.add_parser("list"); sub.add_parser("selftest")
    r = sub.add_parser("run")
    r.add_argument("--methods", default="eproc-best,flagger-docs,argo-strict,kayenta")
    r.add_argument("--rates", default="0.2,5,50,1000"); r.add_argument("--regressions", default=",".join(k for k in REGRESSIONS if not k.startswith("late")))
    r.add_argument("--env", default="real"); r.add_argument("--reps", type=int, default=300)
    r.add_argument("--p-err", type=float, default=0.002)
    r.add_argument("--seed", type=int, default=1); r.add_argument("--out")
    tb = sub.add_parser("table"); tb.add_argument("--in", dest="inp", required=True)
    h = sub.add_parser("heldout")
    h.add_argument("--seed", type=int, required=True); h.add_argument("--cases", type=int, default=30)
    h.add_argument("--methods", default="eproc-best,flagger-docs,argo-strict,kayenta"); h.add_argument("--reps", type=int, default=60)
    h.add_argument("--cmd", dest="command", help="a black-box analyser instead of --methods"); h.add_argument("--t-max", type=float, default=3600.0)
    b = sub.add_parser("bench")
    b.add_argument("--cmd", dest="command", required=True); b.add_argument("--rates", default="20")
    b.add_argument("--regressions", default="none,err+1pp,broken"); b.add_argument("--env", default="real")
    b.add_argument("--reps", type=int, default=30); b.add_argument("--seed", type=int, default=1)
    a = ap.parse_args(argv)
    if a.cmd == "list":
        print("methods:", " ".join(METHODS)); print("regressions:", " ".join(REGRESSIONS)); print("envs:", " ".join(ENVS))
    elif a.cmd == "selftest":
        selftest()
    elif a.cmd == "run":
        out = open(a.out, "a") if a.out else None
        for rate in map(float, a.rates.split(",")):
            for reg in a.regressions.split(","):
                for m in a.methods.split(","):
                    s = run_case(m, Service(rate=rate, p_err=a.p_err), REGRESSIONS[reg], ENVS[a.env], a.reps, a.seed)
                    s = dict(method=m, rate=rate, regression=reg, env=a.env, p_err=a.p_err, **s)
                    if out:
                        out.write(json.dumps(s) + "\n"); out.flush()
                    print(f"{m:15s} {rate:7g}/s {reg:10s} {a.env:9s} rollback {100*s['rollback']:6.2f}% "
                          f"promote {100*s['promote']:6.2f}% t_rb {fmt(s['t_rollback']):>6} t_pr {fmt(s['t_promote']):>6} "
                          f"req {fmt(s['req_rollback']):>9} bad {fmt(s['bad_in_rollout'],1):>9} "
                          f"bad+miss {fmt(s['bad_with_miss'],1):>10}  [{s['wall']}s]", flush=True)
    elif a.cmd == "table":
        rows = [json.loads(x) for x in open(a.inp)]
        for rate in sorted({x["rate"] for x in rows}):
            print(f"\n## {rate:g} req/s"); regs = [k for k in REGRESSIONS if any(x["regression"] == k for x in rows)]
            print("| method | " + " | ".join(regs) + " |"); print("|---" * (len(regs) + 1) + "|")
            for m in METHODS:
                cells = []
                for k in regs:
                    x = [y for y in rows if y["method"] == m and y["rate"] == rate and y["regression"] == k]
                    x = x[-1] if x else None
                    cells.append("" if not x else f"{100*x['rollback']:.1f}% {fmt(x['t_rollback'])}s {fmt(x['req_rollback'])}r"
                                 f" {fmt(x['bad_in_rollout'],1)}b")
                if any(cells):
                    print(f"| {m} | " + " | ".join(cells) + " |")
    elif a.cmd == "heldout" and a.command:
        heldout_black_box(a.command, a.seed, a.cases, a.reps, a.t_max)
    elif a.cmd == "heldout":
        tot = {m: [0, 0, 0, 0] for m in a.methods.split(",")}
        for i, svc, reg, env in heldout_cases(a.seed, a.cases):
            for m in tot:
                s = summarise(rollout(METHODS[m](svc, a.reps), Traffic(svc, reg, env, a.reps, np.random.default_rng((a.seed, i)))), reg, svc)
                z = tot[m]
                z[0 if reg.bad else 2] += s["rollback"]; z[1 if reg.bad else 3] += 1
        for m, (d, nd, f, nf) in tot.items():
            print(f"{m:15s} detection {100*d/max(nd,1):5.1f}% of {nd} bad scenarios; false rollbacks {100*f/max(nf,1):5.2f}% of {nf} good")
    elif a.cmd == "bench":
        proc = subprocess.Popen(shlex.split(a.command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for rate in map(float, a.rates.split(",")):
            for reg in a.regressions.split(","):
                svc, acc = Service(rate=rate), []
                for i in range(a.reps):
                    rng = np.random.default_rng((a.seed, i))
                    acc.append(rollout(External(svc, 1, proc, i), Traffic(svc, REGRESSIONS[reg], ENVS[a.env], 1, rng)))
                res = {k: np.concatenate([x[k] for x in acc]) for k in acc[0]}
                print(rate, reg, json.dumps(summarise(res, REGRESSIONS[reg], svc)), flush=True)
        proc.stdin.close(); proc.wait()


if __name__ == "__main__":
    main()
