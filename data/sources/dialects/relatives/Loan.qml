import QtQuick 2.0
Item { id: a; property int total: f(1); function lend(name) { if (total > 0 && name) { g(name); } for (var i = 0; i < 3; i++) console.log(i); } onClicked: { const x = () => h(); lend(x) } }
