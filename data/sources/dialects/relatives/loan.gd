extends Node
class_name Shelf
const MAX = 3
var total = 0
func lend(name):
	if total > MAX and name:
		g(name)
	for i in range(3):
		print(i)
class Inner:
	func f():
		pass
