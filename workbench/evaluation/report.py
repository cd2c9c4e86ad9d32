"""One self-contained HTML file for people who will not start the workbench: verdict, figures, pictures, questions.

Nothing is fetched (a content policy forbids it), nothing runs, and every text, the documents' included, is escaped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from workbench.counts import counted
from workbench.evaluation.checks import Finding
from workbench.evaluation.leaderboard import Row, interval_of
from workbench.evaluation.report_pictures import bar, colour, trade_off_picture
from workbench.evaluation.report_pictures import escaped as _e
from workbench.evaluation.scoring import LESS_IS_BETTER, name_and_k
from workbench.evaluation.verdict import Verdict, percent
from workbench.table_cells import cells_in_html


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """One answer that a configuration did not show."""

    config: str
    message: str


@dataclass(frozen=True, slots=True)
class QuestionStory:
    """One question worth reading: what was asked, what answers it, and who lost it how."""

    question: str
    answers: tuple[str, ...]
    lost: tuple[LostAnswer, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the file shows. ``costs``: per configuration, label → text, such as ``chunks`` → ``1,204``."""

    title: str
    created_at_utc: str
    question_set_name: str
    question_set_hash: str
    verdict: Verdict
    rows: Sequence[Row]
    measures: Sequence[str] = ("recall@5", "iou@5", "ndcg@5", "hit@5", "precision_omega")
    cost_measure: str = "tokens_shown@5"
    costs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    questions: Sequence[QuestionStory] = ()
    findings: Sequence[Finding] = ()
    config_yaml: Mapping[str, str] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    """Versions, fingerprints, the command that repeats it."""


def html(report: Report) -> str:
    """Return the report as one HTML document."""
    configs = list(dict.fromkeys(row.config for row in report.rows))
    order = [name for name, _ in report.verdict.best_share] or configs
    sections = [
        _verdict(report),
        _leaderboard(report, order),
        _picture(report, order),
        _comparisons(report),
        _costs(report, order),
        _findings(report),
        _stories(report),
        _configs(report),
        _about(report),
    ]
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_e(report.title)}</title><style>{_STYLE}</style></head><body><main>"
        f"<header><h1>{_e(report.title)}</h1><p class='quiet'>{_e(report.created_at_utc)} · question set "
        f"{_e(report.question_set_name)} · {counted(report.verdict.question_count, 'question')}</p></header>\n"
        f"{body}\n</main></body></html>\n"
    )


def shown(measure: str, value: float) -> str:
    """Return a figure as it is shown: shares in percent points, amounts with separators."""
    name, _ = name_and_k(measure)
    if name == "seconds":
        return f"{value:.3f}"
    return f"{value:,.0f}" if name in LESS_IS_BETTER else f"{100 * value:.1f}"


def _verdict(report: Report) -> str:
    verdict = report.verdict
    tone = "won" if verdict.winner else "open"
    return f'<section class="verdict {tone}"><h2>Verdict</h2><p>{_e(verdict.sentence)}</p></section>'


def _leaderboard(report: Report, order: Sequence[str]) -> str:
    present = {row.measure for row in report.rows}
    measures = [m for m in (*report.measures, report.cost_measure) if m in present]
    if not measures:
        return ""
    heads = "".join(f"<th>{_e(measure)}</th>" for measure in measures)
    highest = {m: max((row.high for row in report.rows if row.measure == m), default=0.0) for m in measures}
    lines = []
    for number, config in enumerate(order):
        cells = []
        for measure in measures:
            found = interval_of(report.rows, config, measure)
            if found is None:
                cells.append("<td>–</td>")
                continue
            low, high = shown(measure, found.low), shown(measure, found.high)
            cells.append(
                f"<td><b>{shown(measure, found.value)}</b> <span class='quiet'>[{low}, {high}]</span>"
                f"{bar(found, highest[measure], number)}</td>"
            )
        dot = f'<span class="dot" style="background:{colour(number)}"></span>'
        mark = " <em>winner</em>" if config == report.verdict.winner else ""
        lines.append(f"<tr><th>{dot}{_e(config)}{mark}</th>{''.join(cells)}</tr>")
    return (
        f'<section><h2>Leaderboard</h2><div class="wide"><table><thead><tr><th>configuration</th>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div><p class='quiet'>Shares are in points of 100. In brackets: 95 % "
        f"intervals over {counted(report.verdict.question_count, 'question')} (bootstrap; Wilson for hit).</p></section>"
    )


def _picture(report: Report, order: Sequence[str]) -> str:
    points = {}
    for config in order:
        quality = interval_of(report.rows, config, report.verdict.measure)
        cost = interval_of(report.rows, config, report.cost_measure)
        if quality is not None and cost is not None:
            points[config] = (cost.value, quality)
    if not points:
        return ""
    drawn = trade_off_picture(points, f"{report.cost_measure} per question", report.verdict.measure)
    return (
        f"<section><h2>Quality against text shown</h2>{drawn}"
        "<p class='quiet'>Up and to the left is better. The line joins the best trade-offs.</p></section>"
    )


def _comparisons(report: Report) -> str:
    if not report.verdict.comparisons:
        return ""
    lines = []
    share = dict(report.verdict.best_share)
    for c in report.verdict.comparisons:
        d = c.difference
        scale = 1.0 if name_and_k(c.measure)[0] in LESS_IS_BETTER else 100.0
        lines.append(
            f"<tr><th>{_e(c.better)} − {_e(c.other)}</th><td>{scale * d.value:+.1f} "
            f"<span class='quiet'>[{scale * d.low:.1f}, {scale * d.high:.1f}]</span></td><td>{c.p:.4f}</td>"
            f"<td>{c.p_corrected:.4f}</td><td>{c.wins} / {c.ties} / {c.losses}</td>"
            f"<td>{percent(share.get(c.other, 0.0))}</td><td>{'yes' if c.is_real else 'no'}</td></tr>"
        )
    best = report.verdict.best_share[0]
    return (
        f"<section><h2>Is the difference real?</h2><div class='wide'><table><thead><tr><th>{_e(report.verdict.measure)}"
        "</th><th>difference</th><th>p</th><th>p, corrected</th><th>wins / ties / losses</th>"
        "<th>other is best in</th><th>told apart</th></tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div><p class='quiet'>Paired randomization test, Holm's correction for "
        f"all pairs. {_e(best[0])} is the best in {percent(best[1])} of resamples.</p></section>"
    )


def _costs(report: Report, order: Sequence[str]) -> str:
    labels = list(dict.fromkeys(label for costs in report.costs.values() for label in costs))
    if not labels:
        return ""
    heads = "".join(f"<th>{_e(label)}</th>" for label in labels)
    lines = [
        f"<tr><th>{_e(config)}</th>"
        + "".join(f"<td>{_e(report.costs[config].get(label, '–'))}</td>" for label in labels)
        + "</tr>"
        for config in order
        if config in report.costs
    ]
    return (
        f"<section><h2>What it costs</h2><div class='wide'><table><thead><tr><th>configuration</th>{heads}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div></section>"
    )


def _cells(text: str) -> str:
    return cells_in_html(_e(text))


def _findings(report: Report) -> str:
    if not report.findings:
        return ""
    items = "".join(f"<li>{_cells(finding.message)}</li>" for finding in report.findings[:40])
    more = len(report.findings) - 40
    rest = f"<p class='quiet'>and {more} more</p>" if more > 0 else ""
    return f"<section><h2>Check of the question set</h2><ul>{items}</ul>{rest}</section>"


def _stories(report: Report) -> str:
    if not report.questions:
        return ""
    items = []
    for story in report.questions:
        answers = "".join(f"<blockquote>{_cells(answer[:1_000])}</blockquote>" for answer in story.answers)
        lost = "".join(f"<li><b>{_e(item.config)}</b>: {_cells(item.message)}</li>" for item in story.lost)
        items.append(
            f"<details><summary>{_cells(story.question)}</summary>{answers}<ul>{lost}</ul></details>"
        )
    return f"<section><h2>Worst questions</h2>{''.join(items)}</section>"


def _configs(report: Report) -> str:
    if not report.config_yaml:
        return ""
    first = report.verdict.recommended
    order = sorted(report.config_yaml, key=lambda name: (name != first, name))
    items = "".join(
        f"<details{' open' if name == first else ''}><summary>{_e(name)}</summary>"
        f"<pre>{_e(report.config_yaml[name])}</pre></details>"
        for name in order
    )
    return f"<section><h2>Configurations</h2>{items}</section>"


def _about(report: Report) -> str:
    facts = {"question set": report.question_set_hash, **report.about}
    lines = "".join(f"<tr><th>{_e(k)}</th><td><code>{_e(v)}</code></td></tr>" for k, v in facts.items())
    return f"<section><h2>Versions and fingerprints</h2><table class='facts'><tbody>{lines}</tbody></table></section>"


_STYLE = """
:root{--ink:#1d2530;--quiet:#5d6b7c;--line:#dde3ea;--paper:#fff;--panel:#f4f6f9;--accent:#2f5fa7;--good:#3f9d78}
@media(prefers-color-scheme:dark){:root{--ink:#dfe5ee;--quiet:#93a1b3;--line:#303946;--paper:#14181f;--panel:#1d232d;
--accent:#7ea6e0;--good:#6fc3a0}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1180px;margin:0 auto;padding:40px 24px 80px}h1{font-size:1.7rem;margin:0 0 4px}
h2{font-size:1.1rem;margin:0 0 10px}section{margin:34px 0}.quiet{color:var(--quiet);font-size:.86rem}
p{margin:6px 0}.verdict{background:var(--panel);border-left:4px solid var(--accent);border-radius:8px;padding:18px 22px}
.verdict.won{border-color:var(--good)}.verdict p{font-size:1.12rem;overflow-wrap:anywhere}.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:7px 12px 7px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--quiet);font-weight:600;font-size:.84rem;white-space:nowrap}tbody th{font-weight:600;min-width:150px}
td{white-space:nowrap}.facts td{white-space:normal;overflow-wrap:anywhere}em{color:var(--good);font-style:normal;
font-size:.8rem;font-weight:650}.dot{display:inline-block;width:10px;height:10px;border-radius:50%;margin-right:8px}
svg{width:100%;height:auto}svg.bar{display:block;width:128px;height:14px}.whisker{stroke:var(--ink);stroke-width:1.4}
.grid{stroke:var(--line)}.front{fill:none;stroke:var(--quiet);stroke-width:1.4;stroke-dasharray:5 4}
text{fill:var(--quiet);font-size:12px}text.name{fill:var(--ink)}.middle{text-anchor:middle}.end{text-anchor:end}
.axis{font-weight:600}details{border-bottom:1px solid var(--line);padding:8px 0}summary{cursor:pointer;font-weight:600;
overflow-wrap:anywhere}blockquote{margin:8px 0;padding:6px 14px;border-left:3px solid var(--line);color:var(--quiet);
white-space:pre-wrap;overflow-wrap:anywhere}pre{background:var(--panel);padding:14px;border-radius:8px;overflow-x:auto}
code{font-size:.86rem}@media print{main{max-width:none}details{break-inside:avoid}}
"""
