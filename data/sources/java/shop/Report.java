package shop;

import java.util.ArrayList;
import java.util.List;

abstract class Report {
    static final int WIDTH = 40;
    protected List<String> lines = new ArrayList<>();

    abstract String title();

    String print() {
        StringBuilder text = new StringBuilder(title());
        for (String line : lines) {
            if (line.length() > WIDTH) {
                continue;
            }
            text.append(line).append('\n');
        }
        return text.toString();
    }
}
