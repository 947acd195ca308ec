// What a reader of MCP makes of some bytes that is written in Go on encoding/json, as many servers and clients are: it
// takes the last of two keys, and ignores their case. The protocol is that of reader.py.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
)

type raw = json.RawMessage

// read fills what it can, as a lenient program would; the rest stays empty.
func read[T any](from raw) T {
	var value T
	_ = json.Unmarshal(from, &value)
	return value
}

// text is a member that is text; anything else a program would refuse.
func text(from raw) *string {
	var value *string
	if json.Unmarshal(from, &value) != nil {
		return nil
	}
	return value
}

func texts(from raw) []string {
	found := []string{}
	for _, one := range read[[]raw](from) {
		if value := text(one); value != nil {
			found = append(found, *value)
		}
	}
	return found
}

type message struct {
	ID     raw `json:"id"`
	Method raw `json:"method"`
	Params raw `json:"params"`
	Result raw `json:"result"`
	Error  raw `json:"error"`
}

// What a server finds in a request.

type params struct {
	Name           raw `json:"name"`
	URI            raw `json:"uri"`
	TaskID         raw `json:"taskId"`
	Ref            raw `json:"ref"`
	Task           raw `json:"task"`
	InputResponses raw `json:"inputResponses"`
	RequestState   raw `json:"requestState"`
	Notifications  struct {
		ResourceSubscriptions raw `json:"resourceSubscriptions"`
		TaskIDs               raw `json:"taskIds"`
	} `json:"notifications"`
}

type reference struct {
	Type raw `json:"type"`
	Name raw `json:"name"`
	URI  raw `json:"uri"`
}

func call(body []byte) any {
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		var all []raw
		if err := json.Unmarshal(body, &all); err != nil {
			return map[string]any{"error": err.Error()}
		}
		readings := []any{}
		for _, one := range all {
			readings = append(readings, reading(one))
		}
		return readings
	}
	return reading(body)
}

func reading(body []byte) any {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return map[string]any{"error": err.Error()}
	}
	p := read[params](m.Params)
	var ref []*string
	if len(p.Ref) > 0 && p.Ref[0] == '{' {
		r := read[reference](p.Ref)
		ref = []*string{text(r.Type), text(r.Name), text(r.URI)}
	}
	result := read[map[string]raw](m.Result)
	return map[string]any{
		"method": text(m.Method), "id": identifier(m.ID),
		"name": text(p.Name), "uri": text(p.URI), "taskId": text(p.TaskID), "ref": ref,
		"listens":      texts(p.Notifications.ResourceSubscriptions),
		"followsTasks": len(read[[]raw](p.Notifications.TaskIDs)) > 0,
		"asksTask":     p.Task != nil,
		"answers":      p.InputResponses != nil || p.RequestState != nil,
		"isAnswer":     m.Result != nil || m.Error != nil,
		"isEmpty":      result != nil && len(result) == 0,
	}
}

// identifier keeps the type: 1 and 1.0 and "1" are three ids.
func identifier(from raw) []string {
	if from == nil {
		return nil
	}
	if value := text(from); value != nil {
		return []string{"text", *value}
	}
	number := read[json.Number](from)
	if number == "" || strings.ContainsAny(string(number), ".eE") {
		return []string{"other", ""}
	}
	return []string{"integer", string(number)}
}

// What a client finds in a message of a server.

type result struct {
	ResultType raw `json:"resultType"`
	Task       struct {
		TaskID raw `json:"taskId"`
	} `json:"task"`
	InputRequests     map[string]raw `json:"inputRequests"`
	Tools             raw            `json:"tools"`
	Prompts           raw            `json:"prompts"`
	Resources         raw            `json:"resources"`
	ResourceTemplates raw            `json:"resourceTemplates"`
	Content           raw            `json:"content"`
	Contents          raw            `json:"contents"`
	Messages          raw            `json:"messages"`
}

type entry struct {
	Type        raw `json:"type"`
	Name        raw `json:"name"`
	URI         raw `json:"uri"`
	URITemplate raw `json:"uriTemplate"`
	Resource    struct {
		URI raw `json:"uri"`
	} `json:"resource"`
	Content raw `json:"content"`
}

// each is what text stands for in the elements of a list, whatever else is wrong with them.
func each(list raw, of func(entry) raw) []string {
	found := []string{}
	for _, one := range read[[]raw](list) {
		if value := text(of(read[entry](one))); value != nil {
			found = append(found, *value)
		}
	}
	return found
}

func uri(e entry) raw { return e.URI }

// pointers are the resources that a list of content links to or holds.
func pointers(blocks raw) []string {
	links := each(blocks, func(e entry) raw {
		if kind := text(e.Type); kind == nil || *kind != "resource_link" {
			return nil
		}
		return e.URI
	})
	return append(links, each(blocks, func(e entry) raw { return e.Resource.URI })...)
}

func answer(body []byte) any {
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		return map[string]any{"error": err.Error()}
	}
	r := read[result](m.Result)
	inputs := []*string{}
	for _, one := range r.InputRequests {
		inputs = append(inputs, text(read[message](one).Method))
	}
	uris := append(pointers(r.Content), each(r.Contents, uri)...)
	for _, one := range read[[]raw](r.Messages) {
		content := read[entry](one).Content
		if len(content) > 0 && content[0] != '[' {
			content = append(append(raw{'['}, content...), ']')
		}
		uris = append(uris, pointers(content)...)
	}
	var asks, tells *string
	if m.ID == nil {
		tells = text(m.Method)
	} else {
		asks = text(m.Method)
	}
	if tells != nil && *tells == "notifications/resources/updated" {
		if updated := text(read[params](m.Params).URI); updated != nil {
			uris = append(uris, *updated)
		}
	}
	return map[string]any{
		"asks": asks, "tells": tells, "type": text(r.ResultType), "task": text(r.Task.TaskID), "inputs": inputs,
		"uris": uris,
		"lists": map[string][]string{
			"tools":             each(r.Tools, func(e entry) raw { return e.Name }),
			"prompts":           each(r.Prompts, func(e entry) raw { return e.Name }),
			"resources":         each(r.Resources, uri),
			"resourceTemplates": each(r.ResourceTemplates, func(e entry) raw { return e.URITemplate }),
		},
	}
}

// events is the data of a stream for a client that reads it line by line, as bufio does: a CR is part of a line unless it
// stands at its end, and what is left at the end of the stream is an event.
func events(body []byte) []string {
	found := []string{}
	data := []string{}
	for _, line := range append(strings.Split(string(body), "\n"), "") {
		line = strings.TrimSuffix(line, "\r")
		if value, isData := strings.CutPrefix(line, "data:"); isData {
			data = append(data, strings.TrimPrefix(value, " "))
		} else if line == "" && len(data) > 0 {
			found = append(found, strings.Join(data, "\n"))
			data = nil
		}
	}
	return found
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	_ = out.Encode(map[string]bool{"go": true})
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return
		}
		var questions [][2]string
		if err := json.Unmarshal(line, &questions); err != nil {
			panic(err)
		}
		answers := make([]any, len(questions))
		for i, question := range questions {
			body, err := base64.StdEncoding.DecodeString(question[1])
			if err != nil {
				panic(err)
			}
			switch question[0] {
			case "call":
				answers[i] = map[string]any{"go": call(body)}
			case "answer":
				answers[i] = answer(body)
			default:
				answers[i] = events(body)
			}
		}
		_ = out.Encode(answers)
	}
}
