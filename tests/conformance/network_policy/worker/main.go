// Makes the connections that cyclonus asks for, all at once, from inside a pod, and prints what came of them.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mattfenwick/cyclonus/pkg/worker"
)

// Ample on a machine that is busy; a connection that is dropped takes this long.
const timeout = 3 * time.Second

func main() {
	jobs := flag.String("jobs", "", "the requests, as JSON")
	flag.Parse()
	var batch worker.Batch
	if err := json.Unmarshal([]byte(*jobs), &batch); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	results := make([]*worker.Result, len(batch.Requests))
	var group sync.WaitGroup
	for i, request := range batch.Requests {
		group.Add(1)
		go func() {
			defer group.Done()
			results[i] = &worker.Result{Request: request}
			if err := ask(request); err != nil {
				results[i].Error = err.Error()
			}
		}()
	}
	group.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		os.Exit(1)
	}
}

// ask connects to a server and waits for its answer: agnhost sends its host name as soon as it hears of a client.
func ask(request *worker.Request) error {
	host := request.Host
	if net.ParseIP(host) == nil {
		host = strings.TrimSuffix(host, ".") + "." // the full name: no search through domains
	}
	address := net.JoinHostPort(host, strconv.Itoa(request.Port))
	connection, err := net.DialTimeout(strings.ToLower(string(request.Protocol)), address, timeout)
	if err != nil {
		return err
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(timeout)); err != nil {
		return err
	}
	if _, err := connection.Write([]byte("hello")); err != nil {
		return err
	}
	_, err = connection.Read(make([]byte, 256))
	return err
}
