// Package searchnode holds the files of the development search node, so that a program can write them down and run them.
// See README.md for what the node is and lacks.
package searchnode

import "embed"

// Version of Elasticsearch that run.sh downloads. Its jars are in the folder of that name, once it exists.
const Version = "8.19.9"

// Files are run.sh, which starts the node with sh, and what it needs beside it.
//
//go:embed run.sh pom.xml SearchNode.java
var Files embed.FS
