package store

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime"

	"github.com/klauspost/compress/zstd"
)

// packer packs JSON for storage, with zstd at its fastest. It serves many goroutines at once.
type packer struct {
	encoder *zstd.Encoder
	decoder *zstd.Decoder
}

const (
	// packWindow is more than a ranked list has; it bounds what packing one takes in memory.
	packWindow = 256 << 10
	// unpackLimit bounds what a damaged row can make us allocate.
	unpackLimit = 64 << 20
)

func newPacker() (*packer, error) {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(packWindow),
		zstd.WithEncoderConcurrency(runtime.NumCPU()), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("prepare packing: %w", err)
	}
	decoder, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(runtime.NumCPU()), zstd.WithDecoderMaxMemory(unpackLimit))
	if err != nil {
		return nil, fmt.Errorf("prepare unpacking: %w", err)
	}
	return &packer{encoder: encoder, decoder: decoder}, nil
}

func (p *packer) pack(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return p.encoder.EncodeAll(text, make([]byte, 0, len(text)/4)), nil
}

func (p *packer) unpack(packed []byte) ([]byte, error) { return p.decoder.DecodeAll(packed, nil) }

// repack changes one object in what was packed, and nothing else of it. What is not there stays so.
func (p *packer) repack(packed []byte, field string, change func(map[string]any)) ([]byte, error) {
	if packed == nil {
		return nil, nil
	}
	unpacked, err := p.unpack(packed)
	if err != nil {
		return nil, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(unpacked, &whole); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(whole[field]))
	decoder.UseNumber() // as they were written
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, err
	}
	change(object)
	if whole[field], err = json.Marshal(object); err != nil {
		return nil, err
	}
	return p.pack(whole)
}
