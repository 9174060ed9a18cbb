// Knocks at an address for ever, many times a second, and says so whenever someone opens.
package main

import (
	"flag"
	"fmt"
	"net"
	"time"
)

const pause = 20 * time.Millisecond

func main() {
	address := flag.String("address", "", "host and port")
	flag.Parse()
	for ; ; time.Sleep(pause) {
		connection, err := net.DialTimeout("tcp", *address, 10*pause)
		if err != nil {
			continue
		}
		fmt.Println("open", time.Now().Format(time.RFC3339Nano))
		connection.Close()
	}
}
