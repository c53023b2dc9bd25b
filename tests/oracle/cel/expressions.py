"""Expressions for the oracle: each function with what it takes, what it almost takes, and edges."""

import json
import sys
from itertools import product

TEXTS = ("''", "'a'", "'abcabc'", "'Grüße Ω'", "'a,b,,c'", "'  x \\t'", "object.name")
PARTS = ("''", "'a'", "','", "'bc'", "'Ω'", "'zz'")
NUMBERS = ("-1", "0", "1", "3", "7", "99")
QUANTITIES = (
    "1",
    "0",
    "-1",
    "1.5",
    "500m",
    "1k",
    "1Ki",
    "16Gi",
    "1e3",
    "0.1",
    "100n",
    "9223372036854775807",
    "9223372036854775808",
    "1K",
    "",
    "Mi",
    "1 ",
    "1e",
    "12345678901234567890",
    "+5",
    "1.5Gi",
    "1u",
)
ADDRESSES = (
    "10.0.0.1",
    "255.255.255.255",
    "0.0.0.0",
    "127.0.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "224.0.1.1",
    "::",
    "::1",
    "fe80::1",
    "ff02::1",
    "ff12::1",
    "2001:DB8::1",
    "2001:db8:0::1",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "010.0.0.1",
    "1.2.3",
    "1.2.3.4.5",
    "",
    "a",
    "239.1.1.1",
    "ff05::1",
)
NETWORKS = (
    "10.0.0.0/8",
    "10.1.2.3/8",
    "10.1.0.0/16",
    "0.0.0.0/0",
    "10.0.0.0/33",
    "10.0.0.0",
    "::/0",
    "2001:db8::/32",
    "2001:db8::1/64",
    "::ffff:1.2.3.0/120",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "a/8",
)
URLS = (
    "https://example.com",
    "https://example.com:8443/a/b?x=1&y=2&x=3#f",
    "http://[::1]:80/",
    "/path/only?q=a+b%20c",
    "example.com",
    "",
    "https://",
    "ftp://u:p@h/x",
    "https://h/ä b",
    "https://h:port/",
    "https://h/%zz",
    "mailto:a@b.c",
    "//host/x",
    "https://exa mple.com",
    ":x",
    "HTTPS://H/",
    "https://h?a=1;b=2",
    "https://h/a%2Fb",
    "s3://bucket/key",
    "https://h:/x",
    "a:b",
)
VERSIONS = (
    "1.2.3",
    "1.10.0",
    "1.2.3-rc.1",
    "1.2.3-rc.2",
    "1.2.3-alpha",
    "1.2.3+b",
    "v1.2.3",
    "1.2",
    "1",
    "01.2.3",
    "1.2.3-01",
    "1.2.3-",
    "",
    "a.b.c",
    "1.2.3.4",
    "v1.2",
    "1.02.3",
    "v1.2-rc",
)
FORMATS = (
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
)
FORMATTED = (
    "a",
    "A",
    "a-b",
    "-a",
    "a-",
    "1a",
    "a.b",
    "example.com/a",
    "",
    "a_b",
    "2026-02-28",
    "2026-02-30",
    "2026-02-28T10:00:00Z",
    "2026-02-28T10:00:00.5+01:00",
    "2026-02-28 10:00:00",
    "YQ==",
    "YQ",
    "123e4567-e89b-12d3-a456-426614174000",
    "https://a/b",
    "a" * 63,
    "a" * 64,
)
LISTS = (
    "[]",
    "[1]",
    "[3, 1, 2]",
    "['b', 'a']",
    "[1.5, 1.0]",
    "[true, false]",
    "object.list",
    "object.words",
    "[[1], [2, 3]]",
    "[1, 1, 2]",
    "object.items",
)


def text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def strings() -> list[str]:
    out = []
    for one in TEXTS:
        out += [
            f"{one}.{name}()" for name in ("lowerAscii", "upperAscii", "trim", "size", "reverse")
        ]
        out += [f"{one}.charAt({n})" for n in NUMBERS]
        out += [f"{one}.substring({n})" for n in NUMBERS]
        out += [f"{one}.substring({a}, {b})" for a, b in product(NUMBERS, ("0", "2", "99"))]
        out += [f"strings.quote({one})", f"{one}.split('', 2)", f"{one}.replace('', '-')"]
        for two in PARTS:
            out += [
                f"{one}.{name}({two})"
                for name in (
                    "indexOf",
                    "lastIndexOf",
                    "split",
                    "contains",
                    "startsWith",
                    "endsWith",
                    "find",
                    "findAll",
                    "matches",
                )
            ]
            out += [f"{one}.replace({two}, 'X')", f"{one}.replace({two}, 'X', 1)"]
            for number in ("-1", "0", "1", "2", "9"):
                out += [
                    f"{one}.{name}({two}, {number})"
                    for name in ("indexOf", "lastIndexOf", "split", "findAll")
                ]
                out.append(f"{one}.replace({two}, 'X', {number})")
    out += [
        f"'abc123'.{name}({p})"
        for name in ("find", "findAll", "matches")
        for p in ("'[0-9]+'", "'('", "'^a.c'", "'(?i)ABC'", "'x*'", "'\\\\d'")
    ]
    out += [
        "['a', 'b'].join()",
        "['a', 'b'].join('-')",
        "[].join('-')",
        "[1].join()",
        "object.words.join('/')",
        "object.list.join('/')",
        "1.split('a')",
        "'a'.split(1)",
    ]
    values = ("'a'", "1", "1.5", "true", "null", "[1, 'a']", "{'a': 1}", "2.0", "1u", "b'x'")
    out += [
        f"'{verb}'.format([{value}])"
        for verb in ("%s", "%d", "%f", "%.2f", "%b", "%x", "%X", "%o", "%e", "%.1e")
        for value in values
    ]
    return [
        *out,
        "'%%'.format([])",
        "'%s'.format([])",
        "'a%'.format([1])",
        "'%z'.format([1])",
        "'%s %s'.format(['a', 'b'])",
        "'%s'.format([{'b': 1, 'a': [true, 1.5]}])",
        "'%s'.format([[1, 2.5, 'a', null, false]])",
        "'%20e|'.format([1234.5])",
        "'%e'.format([0.00012])",
        "'a'.format([1])",
    ]


def lists() -> list[str]:
    names = ("min", "max", "sum", "isSorted", "distinct", "reverse", "sort", "flatten", "size")
    out = [f"{one}.{name}()" for one in LISTS for name in names]
    items = ("1", "'a'", "1.0", "3", "'zz'")
    out += [
        f"{one}.{name}({item})"
        for one, item in product(LISTS, items)
        for name in ("indexOf", "lastIndexOf")
    ]
    out += [
        f"{one}.slice({a}, {b})" for one in LISTS[:7] for a, b in product(NUMBERS[:4], repeat=2)
    ]
    out += [
        f"sets.{name}({a}, {b})"
        for name in ("contains", "equivalent", "intersects")
        for a, b in product((*LISTS[:4], "object.list", "[1.0]", "[1, 1, 2]"), repeat=2)
    ]
    out += [f"lists.range({n})" for n in ("0", "3", "-1", "'a'")]
    return [
        *out,
        "[1, [2, [3]]].flatten()",
        "[[1, [2]]].flatten(2)",
        "[[1]].flatten(-1)",
        "[3, 1, 2].sortBy(x, -x)",
        "object.items.sortBy(i, i.name)[1].name",
        "object.items.sortBy(i, i.size)",
        "object.list.sortBy(x, x)",
        "[].sortBy(x, x)",
    ]


def quantities() -> list[str]:
    out = [f"isQuantity({text(one)})" for one in QUANTITIES]
    for one in QUANTITIES:
        call = f"quantity({text(one)})"
        out += [f"{call}.{name}()" for name in ("isInteger", "asInteger", "asApproximateFloat")]
        out += [
            f"{call}.isLessThan(quantity('1k'))",
            f"{call}.isGreaterThan(quantity('1'))",
            f"{call}.compareTo(quantity('1000m'))",
            f"{call} == quantity('1024')",
            f"{call}.add(quantity('1')) == quantity('2')",
            f"sign({call}.sub(1))",
            f"sign({call})",
            f"{call}.add(quantity('1')).asInteger()",
            f"{call}.sub(quantity('1k')).isInteger()",
            f"{call}.add(1).asInteger()",
            f"{call}.add(20).isGreaterThan(quantity('1k'))",
        ]
    return [
        *out,
        "quantity(1)",
        "isQuantity(1)",
        "quantity(object.memory).isGreaterThan(quantity('8Gi'))",
        "quantity(object.cpu).asInteger()",
        "quantity(object.nodes)",
        "isQuantity(object.nodes)",
        "quantity('1').isLessThan('2')",
        "quantity('1') == '1'",
    ]


def addresses() -> list[str]:
    names = (
        "family",
        "isUnspecified",
        "isLoopback",
        "isLinkLocalMulticast",
        "isLinkLocalUnicast",
        "isGlobalUnicast",
    )
    out = [f"isIP({text(one)})" for one in ADDRESSES]
    out += [f"ip.isCanonical({text(one)})" for one in ADDRESSES]
    out += [f"ip({text(one)}).{name}()" for one in ADDRESSES for name in names]
    out += [f"string(ip({text(one)}))" for one in ADDRESSES]
    for one in NETWORKS:
        call = f"cidr({text(one)})"
        out += [
            f"isCIDR({text(one)})",
            f"{call}.prefixLength()",
            f"string({call}.masked())",
            f"string({call}.ip())",
            f"string({call})",
            f"{call} == {call}.masked()",
        ]
        out += [f"{call}.containsIP({text(ip)})" for ip in ("10.1.1.1", "2001:db8::5", "x")]
        out += [
            f"{call}.containsIP(ip('10.1.1.1'))",
            f"{call}.containsCIDR('10.1.0.0/16')",
            f"{call}.containsCIDR(cidr('10.0.0.0/7'))",
            f"{call}.containsCIDR('::/0')",
        ]
    parts = ("getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery")
    out += [f"isURL({text(one)})" for one in URLS]
    out += [f"url({text(one)}).{name}()" for one in URLS for name in parts]
    return [*out, "isIP(1)", "ip('::1') == ip('0:0::1')", "url('https://a') == url('https://a')"]


def versions() -> list[str]:
    out = [f"isSemver({text(one)}{more})" for one in VERSIONS for more in ("", ", true", ", false")]
    for one in VERSIONS:
        out += [f"semver({text(one)}).{name}()" for name in ("major", "minor", "patch")]
        for two in ("1.2.3", "1.2.3-rc.1", "1.2.3-rc.1.1", "1.2.3-5"):
            out += [
                f"semver({text(one)}).{name}(semver('{two}'))"
                for name in ("isLessThan", "isGreaterThan", "compareTo")
            ]
        out.append(f"semver({text(one)}, true).minor()")
    return [*out, "semver('1.2.3') == semver('1.2.3+x')"]


def formats() -> list[str]:
    out = [
        f"format.{name}().validate({text(one)}).hasValue()"
        for name, one in product(FORMATS, FORMATTED)
    ]
    return [
        *out,
        "format.named('dns1123Label').hasValue()",
        "format.named('nope').hasValue()",
        "format.named('uuid').value().validate('x').hasValue()",
    ]


def optionals() -> list[str]:
    return [
        "object.?name.hasValue()",
        "object.?nope.hasValue()",
        "object.?name.value()",
        "object.?nope.value()",
        "object.?nope.orValue('x')",
        "object.?name.orValue('x')",
        "object.?labels.team.orValue('x')",
        "object.?labels.nope.orValue('x')",
        "object.?nope.team.orValue('x')",
        "object.?labels.?team.orValue('x')",
        "object.?name.nope.orValue('x')",
        "object[?'name'].orValue('x')",
        "object[?'n'].orValue('x')",
        "object.list[?0].orValue(9)",
        "object.list[?7].orValue(9)",
        "object.?list[0].orValue(9)",
        "object.?list[9].orValue(9)",
        "object.?nope.or(object.?name).value()",
        "object.?name.or(object.?nope).value()",
        "optional.of(1).value()",
        "optional.none().hasValue()",
        "optional.ofNonZeroValue(0).hasValue()",
        "optional.ofNonZeroValue('a').value()",
        "optional.ofNonZeroValue([]).hasValue()",
        "optional.ofNonZeroValue({}).hasValue()",
        "optional.of(1) == optional.of(1)",
        "optional.of(1) == optional.none()",
        "optional.none() == optional.none()",
        "object.?name.optMap(n, n + '!').value()",
        "object.?nope.optMap(n, n + '!').hasValue()",
        "object.?labels.optFlatMap(l, l.?team).value()",
        "object.?labels.optFlatMap(l, l.?nope).hasValue()",
        "[?object.?name, 'x']",
        "[?object.?nope, 'x']",
        "{?'a': object.?name}",
        "{?'a': object.?nope, 'b': 'x'}",
        "[?1]",
        "object.list.first().value()",
        "object.list.last().value()",
        "[].first().hasValue()",
        "optional.unwrap([optional.of(1), optional.none()])",
        "[object.?name].unwrapOpt()",
        "object.?none.hasValue()",
        "has(object.name)",
        "has(object.nope)",
        "has(object.labels.team)",
        "object.name.?x",
        "object.nodes.?x.hasValue()",
        "object.items[0].?size.orValue(0)",
        "object.items.all(i, i.?size.orValue(1) > 0)",
        "object.items.map(i, i.?size.orValue(0))",
    ]


def macros() -> list[str]:
    return [
        "[1, 2].all(i, v, v == i + 1)",
        "[1, 2].all(i, v, v > i + 1)",
        "[1, 2].exists(i, v, i == v)",
        "{'a': 1}.exists(k, v, k == 'a' && v == 1)",
        "[1, 2].existsOne(i, v, v == 2)",
        "[1, 2, 2].existsOne(x, x == 2)",
        "[1, 2].exists_one(x, x == 2)",
        "{'a': 1}.all(k, v, v == 'a')",
        "[1, 2].transformList(i, v, i * v)",
        "[1, 2].transformList(i, v, v > 1, i * v)",
        "{'a': 1}.transformList(k, v, k)",
        "{'a': 1, 'b': 2}.transformMap(k, v, v + 1)",
        "{'a': 1, 'b': 2}.transformMap(k, v, v > 1, v)",
        "[1, 2].transformMap(i, v, v * 2)[1]",
        "{'a': 'b'}.transformMapEntry(k, v, {v: k})",
        "['a', 'b'].transformMapEntry(i, v, {v: i})",
        "['a', 'a'].transformMapEntry(i, v, {v: i})",
        "[1, 2, 3].map(x, x > 1, x * 2)",
        "[1, 2].map(x, x * 2)",
        "[1, 2].filter(x, x > 1)",
        "object.labels.map(k, k).size()",
        "object.labels.all(k, k.startsWith('t'))",
        "object.labels.exists(k, k == 'team')",
        "object.items.all(i, i.size > 0)",
        "object.items.exists(i, i.size == 3)",
        "object.items.exists(i, i.size == 9)",
        "[1, 2].all(x, x > 0 || x / 0 > 1)",
        "[0, 1].exists(x, 1 / x > 0)",
        "cel.bind(x, 1, x + 1) == 2",
        "object.list.map(x, object.list.filter(y, y > x).size())",
        "1.map(x, x)",
        "[1].map(1, 1)",
        "[1].all(x, y, z, true)",
        "nope(1)",
        "'a'.nope()",
        "nope",
        "sets.nope([1])",
    ]


def operators() -> list[str]:
    values = (
        "1",
        "1u",
        "1.0",
        "1.5",
        "2",
        "'a'",
        "true",
        "null",
        "[1]",
        "{'a': 1}",
        "object.nodes",
        "object.rate",
        "object.name",
        "object.on",
        "object.none",
        "object.list",
        "dyn(1)",
        "dyn('a')",
    )
    signs = ("==", "!=", "<", "<=", ">", ">=")
    out = [f"{a} {sign} {b}" for sign in signs for a, b in product(values, repeat=2)]
    out += [
        f"{a} in {b}"
        for a in values[:8]
        for b in (
            "[1, 2]",
            "['a']",
            "{'a': 1}",
            "object.list",
            "object.labels",
            "object.words",
            "[]",
            "'a'",
        )
    ]
    out += [
        f"{a} {sign} {b}"
        for sign in "+-*/%"
        for a, b in product(
            (
                "7",
                "2",
                "0",
                "1.5",
                "'a'",
                "[1]",
                "object.nodes",
                "object.rate",
                "object.name",
                "2u",
            ),
            repeat=2,
        )
    ]
    return [
        *out,
        "object.nope == 1 || true",
        "object.nope == 1 && false",
        "true ? 1 : 2",
        "!object.on",
        "-object.nodes",
        "size('Ω')",
        "size([1, 2])",
        "size({'a': 1})",
        "size(object.name)",
        "size(1)",
        "int('5')",
        "int(1.9)",
        "int('x')",
        "double('1.5')",
        "string(1)",
        "string(1.5)",
        "string(true)",
        "string('a')",
        "bool('true')",
        "string(2.0)",
        "string(1234567.0)",
        "string(0.00001)",
        "string(1e100)",
        "string(-1.5e-7)",
        "string(100.0)",
        "string(123456.0)",
        "string(object.rate)",
        "string(false)",
        "type(1) == int",
        "uint(1) == 1u",
        "duration('1h') > duration('30m')",
        "timestamp('2026-01-01T00:00:00Z').getFullYear()",
        "object['name']",
        "object['nope']",
        "object.list[0]",
        "object.list[9]",
        "object.list[-1]",
        "9223372036854775807 + 1",
        "1 / 0",
        "{'a': 1, 'b': 2}['b']",
        "[1, 2][1]",
        "{1: 'a'}[1]",
        "'a' + 'b' == 'ab'",
        "[1] + [2] == [1, 2]",
    ]


def expressions() -> list[str]:
    """All of them, each once."""
    groups = (
        strings,
        lists,
        quantities,
        addresses,
        versions,
        formats,
        optionals,
        macros,
        operators,
    )
    return list(dict.fromkeys(each for group in groups for each in group()))


if __name__ == "__main__":
    json.dump(expressions(), sys.stdout)
