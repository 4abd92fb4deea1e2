// A TURN server on pion's library, for the lab: its flags are what a test makes wrong. It prints "ready", and then
// "allocations N" whenever their number has changed.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/pion/turn/v2"
)

var (
	listen   = flag.String("listen", "127.0.0.1", "IP address")
	udpPort  = flag.Int("udp", 0, "port; 0: none")
	tcpPort  = flag.Int("tcp", 0, "port; 0: none")
	tlsPort  = flag.Int("tls", 0, "port; 0: none")
	certFile = flag.String("cert", "", "chain of certificates")
	keyFile  = flag.String("key", "", "private key")
	announce = flag.String("announce", "", "address that relays are said to have; the one that is listened at")
	minPort  = flag.Int("min-port", 49152, "first relay port")
	maxPort  = flag.Int("max-port", 65535, "last relay port")
	realm    = flag.String("realm", "pion.test", "realm")
	user     = flag.String("user", "alice:wonderland", "name:password")
	deny     = flag.Bool("deny-peers", false, "let nobody be sent to")
)

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func at(port int) string {
	return net.JoinHostPort(*listen, fmt.Sprint(port))
}

func relays() turn.RelayAddressGenerator {
	address := *announce
	if address == "" {
		address = *listen
	}
	return &turn.RelayAddressGeneratorPortRange{
		RelayAddress: net.ParseIP(address),
		Address:      *listen,
		MinPort:      uint16(*minPort),
		MaxPort:      uint16(*maxPort),
	}
}

func permit(net.Addr, net.IP) bool {
	return !*deny
}

func secure(listener net.Listener) net.Listener {
	pair, err := tls.LoadX509KeyPair(*certFile, *keyFile)
	check(err)
	return tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
}

func listeners() []turn.ListenerConfig {
	found := []turn.ListenerConfig{}
	for _, port := range []int{*tcpPort, *tlsPort} {
		if port == 0 {
			continue
		}
		listener, err := net.Listen("tcp", at(port))
		check(err)
		if port == *tlsPort {
			listener = secure(listener)
		}
		found = append(found, turn.ListenerConfig{Listener: listener, RelayAddressGenerator: relays(), PermissionHandler: permit})
	}
	return found
}

func packets() []turn.PacketConnConfig {
	if *udpPort == 0 {
		return nil
	}
	conn, err := net.ListenPacket("udp", at(*udpPort))
	check(err)
	return []turn.PacketConnConfig{{PacketConn: conn, RelayAddressGenerator: relays(), PermissionHandler: permit}}
}

func authorize(username, realm string, _ net.Addr) ([]byte, bool) {
	name, password, _ := strings.Cut(*user, ":")
	return turn.GenerateAuthKey(name, realm, password), username == name
}

func main() {
	flag.Parse()
	server, err := turn.NewServer(turn.ServerConfig{
		Realm:             *realm,
		AuthHandler:       authorize,
		PacketConnConfigs: packets(),
		ListenerConfigs:   listeners(),
	})
	check(err)
	fmt.Fprintln(os.Stdout, "ready")
	for last := 0; ; time.Sleep(time.Millisecond) {
		if count := server.AllocationCount(); count != last {
			fmt.Fprintln(os.Stdout, "allocations", count)
			last = count
		}
	}
}
