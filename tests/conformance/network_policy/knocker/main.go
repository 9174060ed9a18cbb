// Knocks at addresses for ever, many times a second each, and writes down who opens.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

const pause = 20 * time.Millisecond

func main() {
	for _, address := range os.Args[1:] {
		go func() {
			for ; ; time.Sleep(pause) {
				if name := knock(address); name != "" {
					fmt.Println("opened by", name, time.Now().Format(time.RFC3339Nano))
				}
			}
		}()
	}
	select {}
}

// knock returns the name with which agnhost greets whoever connects. While a node starts, the address of a service may
// lead elsewhere: a connection alone does not say whose door it was.
func knock(address string) string {
	connection, err := net.DialTimeout("tcp", address, 10*pause)
	if err != nil {
		return ""
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(25 * pause)); err != nil {
		return "deadline: " + err.Error()
	}
	name, err := io.ReadAll(io.LimitReader(connection, 100))
	if len(name) == 0 {
		return fmt.Sprint("a stranger: ", err)
	}
	return string(name)
}
