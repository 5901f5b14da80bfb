// Checks a folder of tlog tiles with nothing of Shipline's: note and tlog of golang.org/x/mod/sumdb.
//
//	verify_tiles FOLDER KEY
//
// Opens the checkpoint, hashes every entry and compares it with the tiles, authenticates the tiles against the
// checkpoint's root, proves each record, and that each smaller tree is the beginning of this one.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type folder string

func (f folder) Height() int { return 8 }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		data, err := f.read(strings.Replace(tile.Path(), "tile/8/", "tile/", 1))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

// A partial tile that has been outgrown is the beginning of the full one.
func (f folder) read(name string) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(string(f), name))
	if base, width, partial := strings.Cut(name, ".p/"); err != nil && partial {
		full, failed := os.ReadFile(filepath.Join(string(f), base))
		count, _ := strconv.Atoi(width)
		if failed == nil && len(full) >= count*tlog.HashSize {
			return full[:count*tlog.HashSize], nil
		}
	}
	return data, err
}

func check(err error) {
	if err != nil {
		fmt.Println("not proven:", err)
		os.Exit(1)
	}
}

func entries(f folder, size int64) (found [][]byte) {
	for first := int64(0); first < size; first += 256 {
		width := size - first
		if width > 256 {
			width = 256
		}
		path := tlog.Tile{H: 8, L: 0, N: first / 256, W: int(width)}.Path()
		data, err := os.ReadFile(filepath.Join(string(f), strings.Replace(path, "tile/8/0/", "tile/entries/", 1)))
		check(err)
		for len(data) > 0 {
			length := int(binary.BigEndian.Uint16(data))
			found = append(found, data[2:2+length])
			data = data[2+length:]
		}
	}
	return found
}

func main() {
	f := folder(os.Args[1])
	verifier, err := note.NewVerifier(os.Args[2])
	check(err)
	text, err := os.ReadFile(filepath.Join(string(f), "checkpoint"))
	check(err)
	opened, err := note.Open(text, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	check(err)
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], raw)
	reader := tlog.TileHashReader(tree, f)
	records := entries(f, size)
	if int64(len(records)) != size {
		check(fmt.Errorf("%d entries in a tree of %d", len(records), size))
	}
	for place, record := range records {
		at := int64(place)
		proof, err := tlog.ProveRecord(size, at, reader)
		check(err)
		check(tlog.CheckRecord(proof, size, tree.Hash, at, tlog.RecordHash(record)))
		older, err := tlog.TreeHash(at+1, reader)
		check(err)
		growth, err := tlog.ProveTree(size, at+1, reader)
		check(err)
		check(tlog.CheckTree(growth, size, tree.Hash, at+1, older))
	}
	fmt.Println("proven:", size)
}
