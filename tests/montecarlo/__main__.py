"""How often the rules are wrong, and how late: `python -m montecarlo`."""

import click

from montecarlo.table import Effort, lines


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seed", default=1, show_default=True, help="The first seed.")
@click.option("--seeds", default=6, show_default=True, help="How many seeds, from the first on.")
@click.option("--days", default=200, show_default=True, help="Days of every steady service, for each seed.")
@click.option("--onsets", default=200, show_default=True, help="Changes of every other service, for each seed.")
@click.option("--trials", default=200, show_default=True, help="Trials of every candidate, for each seed.")
@click.option("--scrape", default=30, show_default=True, type=click.Choice(["15", "30", "60"]), help="Scrape interval.")
def main(seed: int, seeds: int, days: int, onsets: int, trials: int, scrape: str) -> None:
    """Simulate services and print, as Markdown, what the product's own rule makes of them with the default policy.

    Requests arrive as a Poisson process; what is slow or accepted within half a minute is correlated (beta-binomial).
    An evaluation every 15 seconds; an action is a breach in two evaluations in a row. In trials, times are lognormal
    and correlated as much, scrapes come every 30 seconds, and the first verdict that is better or worse counts.
    """
    effort = Effort(range(seed, seed + seeds), days, onsets, trials, float(scrape))
    for line in lines(effort):
        click.echo(line)


if __name__ == "__main__":
    main()
