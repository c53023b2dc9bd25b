// Command quantity writes the truth table of Kubernetes quantities that the unit tests read.
//
//	go run . > ../../data/quantities.json.gz
//
// In: nothing (the seed is fixed, so the bytes are the same each time). Out: gzipped JSON with
//
//	single:  [text, out, value, sign]: out is what the text reads after one trip through JSON (true: the text
//	         itself; null: not a quantity, then the row ends), value is the number rounded up as an
//	         int64 (null where it does not fit), sign is -1, 0 or 1;
//	sums:    [[[text, count], ...], out]: sum of text x count, as a PodGroup's minResources is made;
//	compare: [text, text, -1 | 0 | 1].
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	seed      = 20260622
	randoms   = 17500
	garbled   = 1200
	sums      = 2500
	compares  = 1500
	maxInt64  = 1<<63 - 1
	scaleWide = 40
)

var (
	decimal = []string{"", "n", "u", "m", "k", "M", "G", "T", "P", "E"}
	binary  = []string{"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
)

type table struct {
	Source  string  `json:"source"`
	Single  [][]any `json:"single"`
	Sums    [][]any `json:"sums"`
	Compare [][]any `json:"compare"`
}

func main() {
	random := rand.New(rand.NewSource(seed))
	out := table{Source: "k8s.io/apimachinery v0.36.2"}
	texts := distinct(append(append(plain(), wide(random)...), broken(random)...))
	var good []string
	for _, text := range texts {
		row, ok := single(text)
		out.Single = append(out.Single, row)
		if ok {
			good = append(good, text)
		}
	}
	for range sums {
		out.Sums = append(out.Sums, sum(random, good))
	}
	for range compares {
		out.Compare = append(out.Compare, compare(random, good))
	}
	if err := write(out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// plain gives the small grid a person would write.
func plain() []string {
	var texts []string
	for _, sign := range []string{"", "+", "-"} {
		for _, number := range []string{"0", "00", "0.0", ".5", "0.5", "1", "1.", "1.0", "1.5", "1.50", "01", "8", "10", "100", "999",
			"1000", "1023", "1024", "1025", "1500", "2048", "0.1", "0.25", "0.001", "1.1", "1.234", "12.000", "1e3", "1E3", "1e-3", "1e2", "15e-1"} {
			texts = append(texts, sign+number)
			if strings.ContainsAny(number, "eE") {
				continue
			}
			for _, suffix := range append(decimal[1:], binary...) {
				texts = append(texts, sign+number+suffix)
			}
		}
	}
	for exponent := -33; exponent <= 33; exponent++ {
		for _, number := range []string{"1", "0.5", "12", "1000", "1.25"} {
			texts = append(texts, fmt.Sprintf("%se%d", number, exponent))
		}
	}
	return append(texts, "9223372036854775807", "9223372036854775808", "-9223372036854775808", "9.223372036854775807E",
		"8Ei", "7.99Ei", "16Ei", "8191Pi", "1.1n", "0.1n", "0.5n", "-0.1n", "999999999999999999", "1000000000000000000",
		"1e4294967297", "1e0", "1e00", "1e03", "0e5", "0e-50", "-0", "+0", "-0.0Ki", "-1.5Ki", "-0.5Ki", "12345678901234567890123")
}

// wide gives numbers of every length with every suffix.
func wide(random *rand.Rand) []string {
	var texts []string
	for range randoms {
		text := pick(random, "", "", "", "", "", "", "+", "-") + strings.Repeat("0", pick(random, 0, 0, 0, 0, 1, 3))
		text += digits(random, 1+random.Intn(pick(random, 3, 3, 6, 12, 21)))
		switch random.Intn(6) {
		case 0:
			text += "."
		case 1, 2:
			text += "." + digits(random, 1+random.Intn(pick(random, 3, 3, 6, 12, 21)))
		}
		switch random.Intn(9) {
		case 0, 1, 2:
			text += pick(random, binary...)
		case 3:
			text += pick(random, "e", "E") + pick(random, "", "", "+", "-") + fmt.Sprint(random.Intn(pick(random, 4, 10, scaleWide)))
		default:
			text += pick(random, decimal...)
		}
		texts = append(texts, text)
	}
	return texts
}

// broken gives texts that are no quantity, or hardly one.
func broken(random *rand.Rand) []string {
	texts := []string{"", ".", "+", "-", "--1", "+-1", "1 ", " 1", "1\t", "1 Gi", "Ki", "m", "e5", "1e", "1e+", "1e1.5", "1E.5", "1e5m",
		"1K", "1ki", "1KI", "1mi", "1gi", "1GB", "1g", "1b", "1Mib", "1i", "0x10", "1_000", "1,5", "1..5", "1.5.5", "½", "१", "NaN",
		"Inf", "null", "1e99999999999999999999", "1Kim", "1mK", "1kM", "1nn", "1e-", "1e+-3", "1ee3", "1E", "1Eie", "5Ei3", "1\n"}
	letters := []rune("0123456789.+-eEinumkKMGTP x")
	for range garbled {
		text := make([]rune, 1+random.Intn(6))
		for i := range text {
			text[i] = letters[random.Intn(len(letters))]
		}
		texts = append(texts, string(text))
	}
	return texts
}

func single(text string) (row []any, ok bool) {
	quantity, err := read(text)
	if err != nil {
		return []any{text, nil}, false
	}
	printed := print(quantity)
	var out any = printed
	if printed == text {
		out = true
	}
	return []any{text, out, roundedUp(quantity), quantity.Sign()}, true
}

func sum(random *rand.Rand, good []string) []any {
	total := resource.Quantity{}
	var parts [][]any
	for range 1 + random.Intn(4) {
		text := good[random.Intn(len(good))]
		if random.Intn(2) == 0 {
			text = pick(random, "100m", "250m", "1", "2", "1.5", "0", "512Mi", "100Mi", "1Gi", "1.5Gi", "1000", "1e3", "1G", "3k", "1025Ki")
		}
		count := int64(pick(random, 0, 1, 1, 2, 3, 4, 8, 16, 100, 1000))
		quantity, _ := read(text)
		quantity.Mul(count)
		total.Add(quantity)
		parts = append(parts, []any{text, count})
	}
	return []any{parts, print(total)}
}

func compare(random *rand.Rand, good []string) []any {
	a, b := good[random.Intn(len(good))], good[random.Intn(len(good))]
	if random.Intn(3) == 0 {
		quantity, _ := read(a)
		b = print(quantity)
	}
	x, _ := read(a)
	y, _ := read(b)
	return []any{a, b, x.Cmp(y)}
}

// read parses as a JSON decoder does, which is the way every quantity of a manifest takes.
func read(text string) (resource.Quantity, error) {
	quantity := resource.Quantity{}
	if strings.TrimSpace(text) != text { // the decoder trims, the schema's pattern does not let it come so far
		return quantity, resource.ErrFormatWrong
	}
	encoded, err := json.Marshal(text)
	if err != nil {
		return quantity, err
	}
	return quantity, json.Unmarshal(encoded, &quantity)
}

func print(quantity resource.Quantity) string {
	encoded, err := json.Marshal(quantity)
	if err != nil {
		panic(err)
	}
	var text string
	if err := json.Unmarshal(encoded, &text); err != nil {
		panic(err)
	}
	return text
}

func roundedUp(quantity resource.Quantity) any {
	limit := resource.NewQuantity(maxInt64, resource.DecimalSI)
	magnitude := quantity.DeepCopy()
	if magnitude.Sign() < 0 {
		magnitude.Neg()
	}
	if magnitude.Cmp(*limit) > 0 {
		return nil
	}
	return big.NewInt(quantity.Value())
}

func pick[T any](random *rand.Rand, choices ...T) T { return choices[random.Intn(len(choices))] }

func digits(random *rand.Rand, count int) string {
	out := make([]byte, count)
	for i := range out {
		out[i] = byte('0' + random.Intn(10))
	}
	for i := count - 1; i > 0 && random.Intn(3) == 0; i-- { // trailing zeros decide about the form, so have many
		out[i] = '0'
	}
	return string(out)
}

func distinct(texts []string) []string {
	seen := map[string]bool{}
	var out []string
	for _, text := range texts {
		if !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

func write(out table) error {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(out); err != nil {
		return err
	}
	zipped, err := gzip.NewWriterLevel(os.Stdout, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := zipped.Write(buffer.Bytes()); err != nil {
		return err
	}
	return zipped.Close()
}
