"""The figures as a table and as JSON."""

from bench.cpu import CpuSeconds
from bench.report import as_dict, table
from bench.run import Conditions, Figures

FIGURES = Figures(
    conditions=Conditions(500, 60),
    applied_p50=6.04,
    applied_p99=12.345,
    applied_max=12.5,
    cpu_seconds=CpuSeconds(5.0, 9.876, 1.5),
    requests_a_resource={"patch deployments": 1.0, "update specdecodedeployments/status": 1.234},
    writes_at_rest_per_minute=0.0,
    queries_a_tick_few=14.0,
    queries_a_tick_all=14.0,
    memory_megabytes=150.2,
)


def test_cpu_time_and_requests_are_those_of_one_resource() -> None:
    rows = [" ".join(line.split()) for line in table(FIGURES).splitlines()]
    assert rows[3:8] == [
        "CPU of operator, a resource 10.0 ms",
        "CPU of api server, a resource 19.8 ms",
        "CPU of etcd, a resource 3.0 ms",
        "patch deployments, a resource 1.00",
        "update specdecodedeployments/status, a resource 1.23",
    ]


def test_json_rounds_what_is_nested_too() -> None:
    found = as_dict(FIGURES)
    assert found["conditions"] == {"resources": 500, "rest_seconds": 60}
    assert found["cpu_seconds"] == {"operator": 5.0, "api_server": 9.88, "etcd": 1.5}
    assert found["requests_a_resource"]["update specdecodedeployments/status"] == 1.23


def test_cpu_time_is_what_was_used_since() -> None:
    assert CpuSeconds(3.0, 5.0, 1.0) - CpuSeconds(1.0, 2.0, 1.0) == CpuSeconds(2.0, 3.0, 0.0)
