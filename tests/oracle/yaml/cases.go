package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// known returns the scalars that some YAML reader retypes, and the borders of numbers.
func known() []string {
	var out []string
	words := strings.Fields("y n yes no on off true false null ~ nan inf .nan .inf +.inf -.inf +.nan " +
		"-.nan infinity none nil t f o N/A ok yep")
	for _, word := range words {
		out = append(out, word, strings.ToUpper(word), title(word), word+"s", word+" x")
	}
	out = append(out, strings.Fields("0 00 01 07 08 09 010 0777 0o7 0O7 0o8 0o 0x 0X1F 0x1f 0xg 0b 0b1 0B11 0b2 "+
		"-0b11 +0b11 -0x10 +0x10 -010 +010 -0o7 +0o7 -0 +0 -0.0 0. .0 . .. ... + - +- -+ ++1 --1 -- --x -x +x "+
		"1_000 1__0 _1 1_ 0_7 0x_1f 0b_1 1_000.5 1_0e1_0 .5_0 ._5 .5e1_0 -_1 +_1 +_.5 -._5 1._5 "+
		"1e3 1E3 1e+3 1e-3 1e 1e+ e1 1.e3 1.5e3 .5e3 .e3 1e3.5 1e400 -1e400 1e-400 .1e400 1e308 1.8e308 "+
		"1e18 1e19 9.3e18 1e20 1e21 1e22 1.5e20 123456789012345678 1234567890123456789e0 4.611686018427388e18 "+
		"9007199254740993.0 9007199254740993e0 4611686018427387904.0 9223372036854775295.0 9223372036854775807.0 "+
		"9223372036854775806 9223372036854775807 9223372036854775808 18446744073709551615 18446744073709551616 "+
		"-9223372036854775808 -9223372036854775809 +9223372036854775807 +9223372036854775808 "+
		"0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff 0x10000000000000000 -0x8000000000000000 "+
		"-0x8000000000000001 01777777777777777777777 02000000000000000000000 0o1777777777777777777777 "+
		"0777777777777777777777 2147483647 2147483648 1.0 1.10 2.50 3.14 -1.5 +1.5 1.5.1 1.2.3 v1.2.3 1.2.3.4 "+
		"2024-01-15 2024-1-5 2024-13-01 2024-02-30 2024-01-15T10:00:00Z 2024-01-15T10:00:00 2024-01-15t1:2:3Z "+
		"2024-01-15T10:00:00+01:00 12:30:45 12:30 1:2 0:0 -1:30 190:20:30 1.5:3 60 08:30 "+
		"1Gi 100m 5k 1e3Mi 0.5 .5 5. 64Gi 1/2 50% 1,000 $1 a1 1a 0xdeadBEEF 0Xg 1e1e1 1-2 1+2 100_000_000 << <<< = "+
		"1p2 0x1p2 0x1.8p1 0x.8p1 .5p1 .8x .inf. ..5 .5. .5.5 .-5 .+5 .5e .5e- .5E+3 .0e0 .e .x ")...)
	out = append(out, strings.Repeat("9", 19), strings.Repeat("9", 20), strings.Repeat("9", 100),
		strings.Repeat("9", 308), strings.Repeat("9", 309), strings.Repeat("9", 6000), "0"+strings.Repeat("7", 30),
		strings.Repeat("0", 5000)+"7", "0b"+strings.Repeat("1", 63), "0b"+strings.Repeat("1", 64),
		"0b"+strings.Repeat("1", 65), "-0b1"+strings.Repeat("0", 63), "0."+strings.Repeat("3", 5000),
		"1e"+strings.Repeat("0", 300)+"5", "1"+strings.Repeat("_0", 40), "\u0661\u0662", "1\u00a0", "\u00bd", "\uff11")
	for _, exponent := range []int{-8, -7, -6, -5, -4, -1, 0, 1, 5, 6, 7, 15, 16, 20, 21, 22, 37, 38, 39, 46} {
		for _, mantissa := range []string{"1", "1.5", "-2.5", "1.23456789", "9.9999999", "3.4028236", "16777217"} {
			out = append(out, fmt.Sprintf("%se%d", mantissa, exponent))
		}
	}
	return out
}

// numbers returns scalars of the letters that numbers are made of.
func numbers(random *rand.Rand) []string {
	const letters = "+-._0123456789xXobBeEnaiftruyNYs~:T"
	var out []string
	for range randoms {
		length := 1 + random.Intn(9)
		text := make([]byte, length)
		for i := range text {
			if random.Intn(2) == 0 {
				text[i] = "0123456789"[random.Intn(10)]
			} else {
				text[i] = letters[random.Intn(len(letters))]
			}
		}
		if plain(string(text)) {
			out = append(out, string(text))
		}
	}
	return out
}

// plain tells whether a text can stand as a plain scalar, as a value and as a key.
func plain(text string) bool {
	return !strings.HasPrefix(text, ":") && !strings.HasSuffix(text, ":") && text != "-" && text != "..." && text != "---"
}

func title(word string) string {
	return strings.ToUpper(word[:1]) + word[1:]
}

// streams are files on which readers differ, or which are made to hurt them.
var streams = []string{
	"", "\n", "---\n", "---\n---\n", "# only a comment\n", "--- # c\n", "...\n", "---\n...\n---\na: 1\n", "a: 1\n...\nb: 2\n",
	"a: 1\n---\nb: 2\n---\n", "--- {a: 1}\n", "---\na: 1\n--- \nb: 2\n", "a: 1\r\nb: 2\r\n", "a: 1\rb: 2\r",
	"\ufeffa: 1\n", "a: \ufeff1\n", "a:\t1\n", "\ta: 1\n", "a:\n\tb: 1\n", "a: 1\t# c\n", "a: b\tc\n", "- a\n-\tb\n",
	"a: 1\na: 2\n", "a: 1\n\"a\": 2\n", "1: a\n\"1\": b\n", "on: a\ntrue: b\n", "y: a\nyes: b\n", "1: a\n1.0: b\n",
	"a: &x {b: 1}\nc: *x\n", "a: &x 1\nb: *x\n", "a: *x\n", "a: &x [*x]\n", "a: &x 1\na2: &x 2\nb: *x\n",
	"&k a: 1\n*k : 2\n", "&k a: 1\nb: *k\n", "a: &x\nb: *x\n", "&x a: &y b\n*y : *x\n", "- &a x\n- *a\n",
	"a: &x {b: 1}\nc:\n  <<: *x\n", "a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n", "a: &x {b: 1}\nc:\n  b: 2\n  <<: *x\n",
	"a: &x {b: 1}\nd: &y {b: 2, e: 3}\nc:\n  <<: [*x, *y]\n", "c:\n  <<: {b: 1}\n", "c:\n  <<: [{b: 1}, {b: 2}]\n",
	"c:\n  <<: 1\n", "c:\n  <<: [1]\n", "c:\n  <<: \n", "c:\n  <<: []\n", "c:\n  \"<<\": {b: 1}\n", "a: <<\n", "- <<\n",
	"c:\n  <<: {b: 1}\n  <<: {d: 1}\n", "c:\n  !!merge <<: {b: 1}\n", "a: &x [1]\nc:\n  <<: *x\n", "c: {<<: {<<: {a: 1}}}\n",
	"a: &x {b: {d: 1}}\nc: {<<: *x, e: 2}\nf: *x\n", "<<: {a: 1}\n", "<<: &x {a: 1}\nb: *x\n",
	"a: !!str 12\n", "a: !!int \"3\"\n", "a: !!int 1.0\n", "a: !!int 1e3\n", "a: !!float 3\n", "a: !!float .5\n", "a: !!float x\n",
	"a: !!bool y\n", "a: !!bool \"no\"\n", "a: !!bool 1\n", "a: !!null ~\n", "a: !!null x\n", "a: !!null \"\"\n", "a: !!str\n",
	"a: !!str ~\n", "a: !!int 0x10\n", "a: !!float 010\n", "a: !!float 18446744073709551615\n", "a: !!float .inf\n",
	"a: !!timestamp 2024-01-15\n", "a: !!timestamp x\n", "a: !!timestamp \"2024-01-15\"\n", "a: !!timestamp 2024-02-30\n",
	"a: !!timestamp 2024-01-15 10:00:00\n", "a: !!timestamp 2024-01-15T10:00:00Z\n", "a: !!timestamp 2024-01-15T1:2:3.5-05:00\n",
	"a: !!int 2024-01-15\n", "a: !!binary aGVsbG8=\n", "a: !!binary \"aGVs\\nbG8=\"\n", "a: !!binary x\n", "a: !!binary /w==\n",
	"a: !foo 12\n", "a: !!foo 12\n", "a: ! 12\n", "a: ! \"12\"\n", "a: !<tag:yaml.org,2002:int> \"7\"\n", "a: !<x> 1\n",
	"a: !!map {b: 1}\n", "a: !!seq [1]\n", "a: !!set {b}\n", "a: !!map [1]\n", "a: !foo {b: 1}\n", "a: !!omap []\n",
	"%TAG !e! tag:yaml.org,2002:\n---\na: !e!int \"7\"\n", "%YAML 1.1\n---\na: 1\n", "%YAML 1.2\n---\na: 1\n", "%FOO x\n---\na: 1\n",
	"!!int 1: a\n", "!!str 1: a\n", "!!float 1: a\n", "!!null x: a\n", "!!int \"x\": a\n", "!!bool y: a\n",
	"? a\n: 1\n", "? [a]\n: 1\n", "? {a: 1}\n: 1\n", "[a]: 1\n", "{a: 1}: 1\n", "? a\n", "? |\n  x\n: 1\n", "? a\n? b\n", "{a, b}\n",
	"{a: 1, b}\n", "[a: 1, b]\n", "{? a : 1}\n", "[? a : 1]\n", "{a:1}\n", "{\"a\":1}\n", "{a: }\n", "[,]\n", "[a,]\n", "{a: 1,}\n", "[]\n", "{}\n",
	"~: 1\n", ": 1\n", "null: 1\n", "\"\": 1\n", "? \n: 1\n", ".inf: 1\n", ".nan: 1\n", "-.inf: 1\n", "1e40: 1\n", "-1e40: 1\n",
	"18446744073709551615: 1\n", "a: .inf\n", "- .nan\n", "a: |\n  x\n  y\n", "a: |-\n  x\n", "a: |+\n  x\n\n", "a: >\n  x\n  y\n\n  z\n",
	"a: |2\n    x\n", "a: |\n\n", "a: >-\n  x\n   y\n  z\n", "a: 'it''s'\n", "a: \"\\u00e9\\x41\\n\"\n", "a: \"\\ud83d\\ude00\"\n", "a: \"\\ud83d\"\n",
	"a: \"\\U0001F600\"\n", "a: \"\\/\"\n", "a: \"\\q\"\n", "a: \"\\0\"\n", "a: \"x\n  y\"\n", "a: 'x\n\n  y'\n", "a: x\n  y\n", "a: x\n\n  y\n",
	"{\"a\": \"\\ud83d\\ude00\"}\n", "{\"a\": \"\\ud83d\"}\n", "{\"a\": \"\\u00e9\"}\n", "{\"a\": 1e3, \"b\": 1.0, \"c\": -0}\n", "{\"a\": 1, \"a\": 2}\n",
	"{\"a\": 10000000000000000000000}\n", "{\"a\": 1e400}\n", "{\"a\": \"\\/\"}\n", "{\"a\":\t1}\n", "{\n\t\"a\": 1\n}\n", "{\"a\": 1}{\"b\": 2}\n", "{\"a\": 1}\n{\"b\": 2}\n",
	"{\"a\": 1}\n---\n{\"b\": 2}\n", "{\"a\": True}\n", "{\"a\": yes}\n", "{'a': 1}\n", "[{\"a\": 1}]\n", "{\"a\": 1 # c\n}\n", "{\"a\": 010}\n", "{\"a\": .5}\n", "  {\"a\": 1}\n",
	"{\"a\": \"\u2028\"}\n", "{\"a\": \"x\ty\"}\n", "{\"a\": \"\u007f\"}\n", "{\"a\": \"\u0085\"}\n", "{\"1\": 1, 1: 2}\n", "{\"a\": null}\n", "{\"a\" : 1}\n", "{\"a\":{\"b\":[1,2,{\"c\":false}]}}\n",
	"a: b: c\n", "a: 'b\n", "a: [b\n", "a: {b\n", "a: b]\n", "a: @b\n", "a: `b`\n", "a: %b\n", "%a: b\n", "a: &\n", "a: *\n", "a: !\n", "a: |x\n", "a: |0\n", "- - a\n  - b\n- c\n",
	"a:\n- b\n- c\n", "a:\n  - b\n - c\n", "a:\n  b: 1\n c: 2\n", "- a\nb: 1\n", "a: 1\n- b\n", "a\nb: 1\n", "a\n", "'a'\n", "12\n", "true\n", "~\n", "- \n- \n", "-\n", "a:\n", "a: #b\n", "a: b#c\n", "a: b #c\n",
	"a: http://x:80/y\n", "a: b:c\n", "a : b\n", "a:b\n", "a:b: c\n", "\"a\":b\n", "\"a\": b\n", "a: - b\n", "a: -b\n", "a: ?b\n", "a: ? b\n", "a: :b\n", "a: ,b\n", "a: [b, ?c, -d, :e]\n", "a: [b:c, d]\n", "a: [http://x:80]\n",
	"a: \x01\n", "a: \x00\n", "a: \x7f\n", "a: \u0080\n", "a: \u0085b\n", "a: \u2028b\n", "a: \u00a0b\n", "a: \ufffe\n", "a: \U0001F600\n", "\U0001F600: a\n", "a: \xff\n", "a: \xc3\x28\n", "a: \xed\xa0\x80\n", "a: \xc0\x80\n", "a: \xf4\x90\x80\x80\n",
	"\xff\xfea\x00:\x00 \x001\x00\n\x00", "\xfe\xff\x00a\x00:\x00 \x001\x00\n", "a: 1\n\x00", "a: 1\n\ufeffb: 2\n", "a: 1\n---\n\ufeffb: 2\n",
	strings.Repeat("[", 150) + strings.Repeat("]", 150) + "\n", strings.Repeat("[", 20000), strings.Repeat("{a: ", 20000), strings.Repeat("- ", 20000), strings.Repeat("? ", 20000),
	strings.Repeat("a", 100000) + ": 1\n", "a: " + strings.Repeat("b", 100000) + "\n", strings.Repeat("a", 1025) + ": 1\n", "[" + strings.Repeat("a", 1025) + ": 1]\n", "\"" + strings.Repeat("a", 2000) + "\": 1\n",
	"? " + strings.Repeat("a", 2000) + "\n: 1\n", bomb(4), bomb(5), bomb(6), bomb(9), merges(5), merges(25), wide(90), wide(98), wide(99), wide(100), wide(110), wide(200), scalars(99), scalars(200),
}

// bomb is ten lists of ten aliases each to the list before.
func bomb(levels int) string {
	out := "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
	for level := 1; level < levels; level++ {
		out += fmt.Sprintf("a%d: &a%d [%s]\n", level, level, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", level-1), 10), ", "))
	}
	return out
}

// merges is a chain of merges, each of which names the mapping before nine times.
func merges(levels int) string {
	out := "a0: &a0 {k: 1}\n"
	for level := 1; level < levels; level++ {
		out += fmt.Sprintf("a%d: &a%d {<<: [%s]}\n", level, level, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", level-1), 9), ", "))
	}
	return out
}

// wide names one list of a hundred items so many times.
func wide(aliases int) string {
	return "a: &a [" + strings.TrimSuffix(strings.Repeat("1, ", 100), ", ") + "]\nb:\n" + strings.Repeat("- *a\n", aliases)
}

// scalars names one scalar so many times.
func scalars(aliases int) string {
	return "a: &a x\nb:\n" + strings.Repeat("- *a\n", aliases*20)
}

// mutated returns documents with a few letters put in, taken out or doubled.
func mutated(random *rand.Rand) []string {
	const letters = "\n\n\n   \t:::---,[]{}&*!|>'\"%@`#?~<=.0129aynxe\r\u0085\u2028\ufeff"
	alphabet := []rune(letters)
	seeds := append([]string{job, flow, anchored}, streams...)
	var out []string
	for len(out) < mutants {
		text := []rune(seeds[random.Intn(len(seeds))])
		if random.Intn(3) == 0 {
			text = []rune(seeds[random.Intn(3)])
		}
		if len(text) > 1500 {
			continue
		}
		for range 1 + random.Intn(4) {
			at := random.Intn(len(text) + 1)
			switch random.Intn(4) {
			case 0, 1:
				text = append(text[:at:at], append([]rune{alphabet[random.Intn(len(alphabet))]}, text[at:]...)...)
			case 2:
				end := min(len(text), at+1+random.Intn(4))
				text = append(text[:at:at], text[end:]...)
			case 3:
				end := min(len(text), at+1+random.Intn(12))
				text = append(text[:end:end], append(append([]rune{}, text[at:end]...), text[end:]...)...)
			}
		}
		out = append(out, string(text))
	}
	return out
}

const job = `apiVersion: trainer.kubeflow.org/v1alpha1
kind: TrainJob
metadata:
  name: mnist
  labels: {team: a, "on": yes}
spec:
  runtimeRef:
    name: torch-distributed  # the stock one
  trainer:
    numNodes: 2
    command: ["torchrun", 'train.py']
    args:
    - --lr=1e-3
    - |
      two
      lines
    env:
      - name: A
        value: "1"
---
kind: x
`

const flow = `{"apiVersion": "v1", "kind": "List", "items": [{"a": [1, 2.5, true, null, "x"], "b": {}}, []]}
`

const anchored = `base: &base
  a: 1
  b: [x, &y z, *y]
one:
  <<: *base
  c: !!str 3
two: *base
`
