"""CEL as Kubernetes speaks it: its functions, and what is refused by name."""

from __future__ import annotations

from typing import Any

import pytest

from shipline.capabilities.gates.manifests.expressions.program import compile_expression, read_variables
from shipline.capabilities.gates.manifests.unsupported import Undecided, Unsupported

OBJECT: dict[str, Any] = {"spec": {"replicas": 3, "names": ["a", "b", 1], "memory": "200Mi", "nothing": None}}


def answer(text: str, **variables: str) -> Any:
    listed = [{"name": name, "expression": expression} for name, expression in variables.items()]
    return compile_expression(text, read_variables(listed)).answer({"object": OBJECT, "oldObject": None})


@pytest.mark.parametrize(
    "text",
    [
        'quantity("200M").compareTo(quantity("0.2G")) == 0',
        'quantity("50Mi").isGreaterThan(quantity("50M")) && quantity("50M").isLessThan(quantity("100M"))',
        'quantity("50k").add(20).sub(quantity("100k")).sub(-50000) == quantity("20")',
        'quantity("50k").asInteger() == 50000 && !quantity("9999999999999999999999999999G").isInteger()',
        'isQuantity("1.3Gi") && !isQuantity("200K") && sign(quantity("-1")) == -1',
        "quantity(object.spec.memory) == quantity('204800Ki')",
        'semver("1.2.3").compareTo(semver("2.0.0")) == -1 && semver("1.2.3").major() == 1',
        'isSemver("v1.0", true) && !isSemver("1.0") && semver("01.01.01", true) == semver("1.1.1")',
        'semver("1.0.0-rc.2").isLessThan(semver("1.0.0-rc.11")) && semver("1.0.0-rc.1").isLessThan(semver("1.0.0"))',
        "ip('::1').family() == 6 && ip('::1').isLoopback() && !ip('fd00::1').isLinkLocalMulticast()",
        "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')",
        "isIP('127.0.0.1') && !isIP('127.0.0.256') && !isIP('::ffff:1.2.3.4') && !isIP('fe80::1%eth0')",
        "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
        "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
        "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && cidr('::1/128').prefixLength() == 128",
        "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && isCIDR('::1/128') && !isCIDR('::1/129')",
        "['a', 'b', 'b', 'c'].isSorted() && ![2.0, 1.0].isSorted() && [].isSorted()",
        "[1, 3].sum() == 4 && [1.0, 3.0].sum() == 4.0 && [1, 3].min() == 1 && [1, 3].max() == 3",
        "[1, 2, 2, 3].indexOf(2) == 1 && ['a', 'b', 'b', 'c'].lastIndexOf('b') == 2 && [1.0].indexOf(1.1) == -1",
        "'tacocat'.indexOf('a', 2) == 5 && 'tacocat'.lastIndexOf('a', 3) == 1 && 'tacocat'.indexOf('') == 0",
        "sets.contains([1, 2, 3], [2.0]) && !sets.contains([1], [true]) && sets.equivalent([1, 1], [1])",
        "sets.intersects([1], [1, 2]) && !sets.intersects([1], [])",
        "[1, 1, 2].distinct() == [1, 2] && [3, 1].sort() == [1, 3] && [1, [2, [3]]].flatten() == [1, 2, [3]]",
        "[1, 2, 3].slice(1, 3) == [2, 3] && lists.range(3) == [0, 1, 2]",
        "object.?spec.?missing.orValue('x') == 'x' && oldObject == null && object.spec.nothing == null",
        "'variables.none' == \"variables.none\"  // variables.none",
    ],
)
def test_functions_answer_as_in_kubernetes(text: str) -> None:
    """Source of most cases: the documentation of the libraries in `k8s.io/apiserver/pkg/cel/library`."""
    assert answer(text) is True


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("url('https://a/').getHost() == 'a'", "url()"),
        ("'abc'.find('b') == 'b'", "find()"),
        ("'abc'.findAll('b') == ['b']", "findAll()"),
        ("authorizer.group('').check('get').allowed()", "authorizer"),
        ("[1].all(i, v, v > 0)", "two variables"),
        ("[1].sortBy(e, e) == [1]", "sortBy()"),
        ("variables.later == 1", "variables.later"),
        ("objekt.spec == 1", "objekt"),
        ("has(variables.one)", "has()"),
        ("1 < 1.5", "1 < 1.5"),
        ("object.spec ==", "object.spec =="),
        ("(" * 70 + "1" + ")" * 70 + " == 1", "longer or deeper"),
        ("'" + "a" * 20_000 + "' == ''", "longer or deeper"),
    ],
)
def test_what_is_not_evaluated_is_refused_by_its_name(text: str, name: str) -> None:
    """Never passed over."""
    with pytest.raises(Unsupported, match=name.replace("(", r"\(").replace(")", r"\)")):
        answer(text, one="1")


@pytest.mark.parametrize(
    "text",
    [
        "object.spec.missing == 1",
        "request.userInfo.username == 'a'",
        "namespaceObject.metadata.name == 'a'",
        "quantity('Three').isGreaterThan(quantity('1'))",
        "[].min() == 1",
        "object.spec.names.sum() == 1",
        "object.spec.replicas",
        "quantity('1').compareTo(semver('1.0.0')) == 0",
        "object.spec.replicas + 1.0 > 2.0",
    ],
)
def test_trouble_is_an_error_and_never_true(text: str) -> None:
    """The library gives an error as a value that looks like a text, which Python calls true."""
    with pytest.raises(Undecided):
        compile_expression(text).holds({"object": OBJECT, "oldObject": None})


def test_variables_are_evaluated_where_they_are_needed() -> None:
    """Each may use those before it; an error concerns who needs it."""
    variables = {"replicas": "object.spec.replicas", "more": "variables.replicas + 1", "bad": "object.spec.missing"}
    assert answer("variables.more == 4 || variables.bad == 1", **variables) is True
    with pytest.raises(Undecided, match="missing"):
        answer("variables.bad == 1", **variables)
    with pytest.raises(Unsupported, match=r"variables\.second"):
        answer("variables.first", first="variables.second", second="1")


def test_a_value_that_is_no_optional_is_itself_in_policies_of_kyverno_alone() -> None:
    """Newer versions of Kubernetes make it an error."""
    text = "object.spec.names.orValue([]).size() == 3 && object.spec.?missing.orValue([1]).size() == 1"
    data = {"object": OBJECT}
    assert compile_expression(text, read_variables([], either=True)).holds(data)
    with pytest.raises(Undecided):
        compile_expression(text).holds(data)


@pytest.mark.parametrize(
    "text",
    [
        "object.data[object.data.secret] == 'x'",
        "quantity(object.data.secret).isInteger()",
        "semver(object.data.secret).major() == 1",
        "ip(object.data.secret).isLoopback()",
        "cidr(object.data.secret).prefixLength() == 1",
        "'x'.matches(object.data.secret + '(')",
        "{'a': 1}[object.data.quoted] == 1",
        "int(object.data.secret) == 1",
        "object.data.secret",
        "object.data.all(k, object.data[k])",
    ],
)
def test_what_went_wrong_is_told_without_the_value(text: str) -> None:
    """Messages go to logs and to forges."""
    data = {"object": {"data": {"secret": "hunter2", "quoted": "hunter2'\"hunter2"}}}
    with pytest.raises(Undecided) as caught:
        compile_expression(text).holds(data)
    assert "hunter2" not in str(caught.value)


def test_a_key_of_the_policy_is_named() -> None:
    """It says what is missing."""
    with pytest.raises(Undecided, match='"absent"'):
        compile_expression("object.absent.x == 1").holds({"object": {}})
