// Command hcl-reference tells what github.com/hashicorp/hcl v1 makes of a text.
//
// It reads one JSON string a line from standard input and answers each with one line of JSON (see answer).
// A panic in the library is reported as a refusal: it is one, only a rude one.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl"
	"github.com/hashicorp/hcl/hcl/ast"
	"github.com/hashicorp/hcl/hcl/parser"
	"github.com/hashicorp/hcl/hcl/printer"
)

// outcome is a result or why there is none.
type outcome struct {
	Value   any    `json:"value"`
	Refused string `json:"refused,omitempty"`
}

// answer holds everything compared for one text.
type answer struct {
	// Decoded is hcl.Decode into an interface{}, in the typed notation of typed.
	Decoded outcome `json:"decoded"`
	// Positions are line and column of each key and value, in source order (HCL form only).
	Positions outcome `json:"positions"`
	// Reprinted is the text as SPIRE would hand it to a plugin, were it written inside plugin_data.
	Reprinted outcome `json:"reprinted"`
}

// attempt runs f and turns its panic into a refusal.
func attempt(f func() (any, error)) (result outcome) {
	defer func() {
		if cause := recover(); cause != nil {
			result = outcome{Refused: fmt.Sprintf("panic: %v", cause)}
		}
	}()
	value, err := f()
	if err != nil {
		return outcome{Refused: err.Error()}
	}
	return outcome{Value: value}
}

// typed keeps Go's types apart in JSON: {"i":"1"}, {"f":"3ff0…"}, {"s":…}, {"b":…}, {"l":[…],"e":"map"}, {"m":[[key,value]…]}.
func typed(value any) any {
	switch v := value.(type) {
	case bool:
		return map[string]any{"b": v}
	case int:
		return map[string]any{"i": fmt.Sprint(v)}
	case float64:
		return map[string]any{"f": fmt.Sprintf("%016x", math.Float64bits(v))}
	case string:
		return map[string]any{"s": v}
	case []any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = typed(element)
		}
		return map[string]any{"l": list, "e": "any"}
	case []map[string]any:
		list := make([]any, len(v))
		for i, element := range v {
			list[i] = typed(element)
		}
		return map[string]any{"l": list, "e": "map"}
	case map[string]any:
		pairs := [][2]any{}
		for key, element := range v {
			pairs = append(pairs, [2]any{key, typed(element)})
		}
		return map[string]any{"m": pairs}
	default:
		panic(fmt.Sprintf("no notation for %T", value))
	}
}

func decode(text string) (any, error) {
	var value any
	if err := hcl.Decode(&value, text); err != nil {
		return nil, err
	}
	return typed(value), nil
}

func isJSON(text string) bool {
	return strings.HasPrefix(strings.TrimLeftFunc(text, unicode.IsSpace), "{")
}

// tree decodes to the syntax tree the way SPIRE does, which unlike hcl.Parse lets keys repeat.
func tree(text string) (ast.Node, error) {
	var holder struct {
		Data ast.Node `hcl:"plugin_data"`
	}
	wrapped := "plugin_data {\n" + text + "\n}"
	if isJSON(text) {
		wrapped = `{"plugin_data": ` + text + `}`
	}
	if err := hcl.Decode(&holder, wrapped); err != nil {
		return nil, err
	}
	return holder.Data, nil
}

func reprint(text string) (any, error) {
	node, err := tree(text)
	if err != nil {
		return nil, err
	}
	if node == nil {
		return "", nil
	}
	var out bytes.Buffer
	if err := printer.DefaultConfig.Fprint(&out, node); err != nil {
		return nil, err
	}
	return out.String(), nil
}

func positions(text string) (any, error) {
	if isJSON(text) {
		return nil, fmt.Errorf("hcl keeps no positions of JSON")
	}
	file, err := parser.ParseDontErrorOnDuplicateKeys([]byte(text))
	if err != nil {
		return nil, err
	}
	found := [][2]int{}
	collect(file.Node, &found)
	return found, nil
}

func collect(node ast.Node, found *[][2]int) {
	switch n := node.(type) {
	case *ast.ObjectList:
		for _, item := range n.Items {
			for _, key := range item.Keys {
				*found = append(*found, [2]int{key.Pos().Line, key.Pos().Column})
			}
			collect(item.Val, found)
		}
	case *ast.ObjectType:
		*found = append(*found, [2]int{n.Pos().Line, n.Pos().Column})
		collect(n.List, found)
	case *ast.ListType:
		*found = append(*found, [2]int{n.Pos().Line, n.Pos().Column})
		for _, element := range n.List {
			collect(element, found)
		}
	case *ast.LiteralType:
		*found = append(*found, [2]int{n.Pos().Line, n.Pos().Column})
	}
}

func main() {
	input := bufio.NewReaderSize(os.Stdin, 1<<20)
	output := json.NewEncoder(os.Stdout)
	lines := json.NewDecoder(input)
	for {
		var text string
		if err := lines.Decode(&text); err != nil {
			return
		}
		result := answer{
			Decoded:   attempt(func() (any, error) { return decode(text) }),
			Positions: attempt(func() (any, error) { return positions(text) }),
			Reprinted: attempt(func() (any, error) { return reprint(text) }),
		}
		if err := output.Encode(result); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}
